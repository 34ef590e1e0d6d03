package manifest

import (
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/printable"
)

// mappingField is one field of a mapping, after merge keys are worked in. Its value may be an
// alias.
type mappingField struct {
	key            string
	keyNode, value *yaml.Node
}

// follow returns what an alias stands for, and n itself if it is none.
func (d *decoder) follow(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias // never an alias again
	}
	return n
}

// mappingFields returns the fields of a mapping: its own, then those that merge keys (<<) bring in
// and it does not have. A key that is there twice is an error.
func (d *decoder) mappingFields(n *yaml.Node, path string) []mappingField {
	if known, ok := d.known[n]; ok {
		return known
	}
	d.known[n] = nil // what a mapping that merges itself gets
	var out []mappingField
	var merges []*yaml.Node
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.ScalarNode && k.Tag == "!!merge" {
			merges = append(merges, v)
			continue
		}
		key, ok := d.key(k, path)
		if !ok {
			continue
		}
		if first := seen[key]; first != nil {
			d.failAt(k, childPath(path, printable.Cut(key)), ReasonDuplicateField, "already set at %v", d.position(first))
			if d.lenient { // kubectl keeps the last one
				i := slices.IndexFunc(out, func(e mappingField) bool { return e.key == key })
				out[i] = mappingField{key, k, v}
			}
			continue
		}
		seen[key] = k
		out = append(out, mappingField{key, k, v})
	}
	for _, m := range merges {
		out = d.merge(out, seen, m, path)
	}
	d.known[n] = out
	return out
}

func (d *decoder) merge(out []mappingField, seen map[string]*yaml.Node, from *yaml.Node, path string) []mappingField {
	d.depth++
	defer func() { d.depth-- }()
	if !d.spend(from, path) {
		return out
	}
	source := d.follow(from)
	switch source.Kind {
	case yaml.SequenceNode:
		for _, m := range source.Content {
			out = d.merge(out, seen, m, path)
			if source := d.follow(m); source.Kind == yaml.ScalarNode {
				break // nor are the others objects, which need not be said of each
			}
		}
	case yaml.MappingNode:
		for _, e := range d.mappingFields(source, path) {
			if !d.spend(e.keyNode, path) {
				return out
			}
			if seen[e.key] == nil {
				seen[e.key] = e.keyNode
				out = append(out, e)
			}
		}
	default:
		d.failAt(from, path, ReasonSyntax, "the merge key << needs an object, or a list of objects")
	}
	return out
}

// key returns a field name. Kubernetes turns numbers and booleans into strings, and so do we.
func (d *decoder) key(k *yaml.Node, path string) (string, bool) {
	k = d.follow(k)
	var v any
	var err error
	if k.Kind == yaml.ScalarNode {
		v, err = resolve(k)
	}
	switch x := v.(type) {
	case string:
		return x, true
	case bool:
		if d.literal {
			return k.Value, true
		}
		return strconv.FormatBool(x), true
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 32), true
	case int64, uint64:
		return fmt.Sprint(x), true
	}
	if err == nil {
		err = fmt.Errorf("a field name must be a string, found %s", d.describe(k, path))
		if k.Kind == yaml.MappingNode {
			err = fmt.Errorf("%w%s", err, templateHint)
		}
	}
	d.failAt(k, path, ReasonType, "%v", err)
	return "", false
}

// isTemplate recognizes {{ .Values.x }}, which is valid YAML: an object as the field name of an
// object.
func isTemplate(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode
}
