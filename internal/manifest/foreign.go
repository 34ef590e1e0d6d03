package manifest

import (
	"cmp"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// foreign takes a document of another format, and reports whether it is one.
func (f *file) foreign(d *decoder, n *yaml.Node) bool {
	root := d.follow(n)
	if len(f.opts.Formats) == 0 || root == nil || root.Kind != yaml.MappingNode {
		return false
	}
	isObject := saysVersion(root)
	i := slices.IndexFunc(f.opts.Formats, func(format Format) bool {
		_, ofObjects := format.(ObjectFormat)
		return ofObjects == isObject && format.Recognizes(root)
	})
	if i < 0 {
		return false
	}
	f.left--
	format := f.opts.Formats[i]
	d.literal = !isObject // other tools do not read YAML by Kubernetes' rules
	tree := d.plain(root, "")
	for _, e := range d.errs {
		e.Original = Original{Format: format.Name(), Field: e.Field}
	}
	f.refuse(d.errs...)
	if len(d.errs) > 0 && !f.lenient || d.budget.spent {
		return true
	}
	f.converted(d, format.Name(), format.Convert(f.name, tree))
	return true
}

// saysVersion reports whether an object says that it is one of Kubernetes. That it has a kind is
// not enough: people write one from memory into documents of other formats, which know none.
func saysVersion(root *yaml.Node) bool {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "apiVersion" {
			return true
		}
	}
	return false
}

// mayBeForeign reports whether a text of a mixed file may be a document of another format.
func (f *file) mayBeForeign(text []byte) bool {
	return slices.ContainsFunc(f.opts.Formats, func(format Format) bool { return format.Mentions(text) })
}

// converted takes what became of a document.
func (f *file) converted(d *decoder, format string, c Conversion) {
	at := func(r Remark) Position { return d.position(r.At) }
	if c.Into != nil {
		f.set.Joined = append(f.set.Joined, Note{Position: at(*c.Into), Message: c.Into.Message, Original: Original{Format: format}})
	}
	for _, r := range c.Errors {
		f.refuse(&Error{Position: at(r), Object: r.Object, Field: r.Field, Reason: cmp.Or(r.Reason, ReasonFormat), Message: r.Message,
			Original: Original{format, r.Object, r.Field}})
	}
	for _, r := range c.Unknown {
		f.set.Unknown = append(f.set.Unknown, Unknown{at(r), format, r.Object.Kind, r.Object.Name})
	}
	if len(c.Errors) > 0 && !f.lenient {
		return
	}
	notes := func(list []Remark) (notes []Note) {
		for _, r := range list {
			notes = append(notes, Note{at(r), r.Object, r.Field, r.Message, Original{format, r.Object, r.Field}})
		}
		return notes
	}
	f.set.Warnings = append(f.set.Warnings, notes(c.Warnings)...)
	f.set.NotApplied = append(f.set.NotApplied, notes(c.NotApplied)...)
	f.set.Differences = append(f.set.Differences, notes(c.Differences)...)
	for _, o := range c.Objects {
		f.convertedObject(d, format, o)
	}
}

// convertedObject takes an object that was made of a document. It may expand to as much as a
// document of its own, as which it is written by who converts files.
func (f *file) convertedObject(d *decoder, format string, o ConvertedObject) {
	anew := func() *decoder {
		own := newDecoder(f, d.line)
		own.origin = &origin{format: format, ref: o.Ref, nodes: o.Fields, implied: o.Implied, fields: map[string]string{}}
		return own
	}
	plain := anew()
	content, ok := withoutNulls(plain.any(o.Root, "")).(map[string]any)
	if len(plain.errs) > 0 {
		f.refuse(plain.errs...)
		return // the same would be wrong with the object
	}
	if ok {
		f.set.Converted = append(f.set.Converted, Converted{d.position(o.Root), format, content, impliedPaths(o.Root, "", o.Implied)})
	}
	f.document(anew(), o.Root, "")
}

// impliedPaths are the paths of values that nobody wrote.
func impliedPaths(n *yaml.Node, path string, implied map[*yaml.Node]bool) (paths []string) {
	if implied[n] {
		paths = append(paths, path)
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			paths = append(paths, impliedPaths(n.Content[i+1], childPath(path, n.Content[i].Value), implied)...)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			paths = append(paths, impliedPaths(item, indexPath(path, i), implied)...)
		}
	}
	return paths
}

// withoutNulls takes away fields that are null, which are the same as absent ones.
func withoutNulls(value any) any {
	switch x := value.(type) {
	case map[string]any:
		maps.DeleteFunc(x, func(_ string, v any) bool { return withoutNulls(v) == nil })
	case []any:
		for _, item := range x {
			withoutNulls(item)
		}
	}
	return value
}

// plain copies a value with its aliases and merge keys worked in. What cannot be copied is reported
// and is null.
func (d *decoder) plain(n *yaml.Node, path string) *yaml.Node {
	null := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line, Column: n.Column}
	if !d.spend(n, path) {
		return null
	}
	d.depth++
	defer func() { d.depth-- }()
	switch n.Kind {
	case yaml.AliasNode:
		if d.open[n.Alias] {
			d.failAt(n, path, ReasonSyntax, "the value of anchor %s contains itself", n.Value)
			return null
		}
		d.open[n.Alias] = true
		defer delete(d.open, n.Alias)
		return d.plain(n.Alias, path)
	case yaml.ScalarNode:
		return n
	}
	out := &yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.Tag, Line: n.Line, Column: n.Column}
	if n.Kind == yaml.SequenceNode {
		for i, item := range n.Content {
			out.Content = append(out.Content, d.plain(item, indexPath(path, i)))
		}
		return out
	}
	for _, e := range d.mappingFields(n, path) {
		out.Content = append(out.Content, e.keyNode, d.plain(e.value, childPath(path, e.key)))
	}
	return out
}

// ScalarOf is what a plain value of a document is, by the rules by which Kubernetes reads YAML:
// nil, a bool, an int64, a uint64, a float64 or a string. The error is about a tag that does not
// fit.
func ScalarOf(n *yaml.Node) (any, error) { return resolve(n) }
