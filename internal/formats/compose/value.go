package compose

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
)

// A Place is where a value was written.
type Place struct {
	manifest.Position
	// Path is what was written there.
	Path Path
}

// kind is the form of a value.
type kind int

const (
	null kind = iota
	scalar
	list
	mapping
)

// over is what a value does to the one that it is put on top of, by its tag.
type over uint8

const (
	merge    over = iota
	override      // !override takes its place
	reset         // !reset takes it away
)

// value is a part of a Compose file, without anchors and merge keys, with the place where it was
// written. Values are shared and are not changed once they are made.
type value struct {
	kind kind
	at   Place
	text string // of a scalar, as it is written
	// printed is the text of a scalar where Docker Compose takes a number for one: it reads it, and
	// prints it again.
	printed string
	tag     string // of a scalar, as YAML resolves it: !!str, !!int, !!float or !!bool
	items   []*value
	fields  []entry
	over    over
}

// entry is a field of a mapping.
type entry struct {
	key string
	at  Place // of the key
	*value
}

// get returns the field of that name; nil if there is none, or if it is null.
func (v *value) get(key string) *value {
	if v == nil {
		return nil
	}
	for i := range v.fields {
		if e := &v.fields[i]; e.key == key && e.kind != null {
			return e.value
		}
	}
	return nil
}

// with returns a mapping with one field replaced or added.
func (v *value) with(e entry) *value {
	changed := *v
	changed.fields = nil
	found := false
	for _, old := range v.fields {
		if old.key == e.key {
			old, found = e, true
		}
		changed.fields = append(changed.fields, old)
	}
	if !found {
		changed.fields = append(changed.fields, e)
	}
	return &changed
}

// pathIn is where an item of a list is, in a service that has got it perhaps from another one. It
// has the number that it has in the file, not that in a list that was joined.
func (v *value) pathIn(service string) Path { return Path{service, v.at.Path.Field} }

// what names the form of a value, for messages.
func (v *value) what() string {
	switch v.kind {
	case null:
		return "nothing"
	case list:
		return "a list"
	case mapping:
		return "a mapping"
	}
	switch v.tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	}
	return "a text"
}

// maxValues bounds the values of a file once its aliases are followed: a few lines of them can
// stand for billions.
const maxValues = 200_000

// reader makes values of YAML nodes.
type reader struct {
	file string
	left int
	errs *problems
	open map[*yaml.Node]bool // the anchors that are being followed
}

// newValue reads the root of a document.
func newValue(file string, root *yaml.Node, errs *problems) *value {
	r := &reader{file: file, left: maxValues, errs: errs, open: map[*yaml.Node]bool{}}
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
	}
	return r.value(root, Path{})
}

func (r *reader) place(n *yaml.Node, path Path) Place {
	return Place{manifest.Position{File: r.file, Line: n.Line, Column: n.Column}, path}
}

func (r *reader) value(n *yaml.Node, path Path) *value {
	v := &value{at: r.place(n, path)}
	if r.left--; r.left <= 0 {
		if r.left == 0 {
			r.errs.fail(v.at, path, manifest.ReasonLimit, "more than %d values once aliases are followed: refused", maxValues)
		}
		return v
	}
	switch n.ShortTag() {
	case "!reset":
		v.over = reset
		return v
	case "!override":
		v.over = override
	}
	switch n.Kind {
	case yaml.AliasNode:
		return r.alias(n, path)
	case yaml.ScalarNode:
		if n.ShortTag() != "!!null" {
			untagged := *n
			if v.over == override {
				untagged.Tag = ""
			}
			v.kind, v.text, v.printed, v.tag = scalar, n.Value, printed(&untagged), untagged.ShortTag()
		}
	case yaml.SequenceNode:
		v.kind = list
		for i, item := range n.Content {
			v.items = append(v.items, r.value(item, path.item(i)))
		}
	case yaml.MappingNode:
		v.kind = mapping
		r.mapping(v, n, path)
	}
	return v
}

// printed is how Docker Compose prints a scalar. It reads numbers, times and true or false as such,
// so 1.0 is 1 there, 0777 is 511, and True is true.
func printed(n *yaml.Node) string {
	var resolved any
	if n.ShortTag() == "!!str" || n.Decode(&resolved) != nil {
		return n.Value
	}
	return fmt.Sprint(resolved)
}

// alias follows an alias. What it brings is where it was written, not where it is used.
func (r *reader) alias(n *yaml.Node, path Path) *value {
	if n.Alias == nil || r.open[n.Alias] {
		r.errs.fail(r.place(n, path), path, manifest.ReasonType, "the alias *%s is inside of what it stands for", n.Value)
		return &value{at: r.place(n, path)}
	}
	r.open[n.Alias] = true
	defer delete(r.open, n.Alias)
	return r.value(n.Alias, path)
}

func (r *reader) mapping(v *value, n *yaml.Node, path Path) {
	seen := map[string]int{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			merged = append(merged, val)
			continue
		}
		if key.Kind == yaml.AliasNode && key.Alias != nil {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			r.errs.fail(r.place(key, path), path, manifest.ReasonType, "the name of a field must be a text: write it in quotes if it looks like something else")
			continue
		}
		if _, again := seen[key.Value]; again {
			r.errs.fail(r.place(key, path), path.field(key.Value), manifest.ReasonDuplicateField, "this field is there twice")
			continue
		}
		seen[key.Value] = len(v.fields)
		v.fields = append(v.fields, entry{key.Value, r.place(key, path.field(key.Value)), r.value(val, path.field(key.Value))})
	}
	for _, m := range merged {
		r.merge(v, m, path, seen)
	}
}

// merge adds what a merge key brings. What is written in the mapping itself wins, then what comes
// first.
func (r *reader) merge(v *value, n *yaml.Node, path Path, seen map[string]int) {
	sources := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		sources = n.Content
	}
	for _, from := range sources {
		source := r.value(from, path)
		if source.kind != mapping {
			r.errs.fail(source.at, path, manifest.ReasonType, "<< takes a mapping or a list of mappings, this is %s", source.what())
			continue
		}
		for _, e := range source.fields {
			if _, there := seen[e.key]; !there {
				seen[e.key] = len(v.fields)
				v.fields = append(v.fields, e)
			}
		}
	}
}
