// Package tree is what the formats share: values of a document with their paths, and a builder of
// objects that remembers where what it builds comes from.
package tree

import (
	"fmt"
	"iter"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// A Value is a value of a document, as a manifest.Format gets it: without aliases and merge keys.
// The zero value is one that is not there.
type Value struct {
	// Node is nil if the value is not there.
	Node *yaml.Node
	// Path is how a person writes where it is: "liveness_probe.config.path", "ports[0]".
	Path string

	name *yaml.Node // of the field that holds it
}

// Root is the value of a whole document.
func Root(n *yaml.Node) Value { return Value{Node: n} }

// Is reports whether the value is there and is not null.
func (v Value) Is() bool {
	return v.Node != nil && (v.Node.Kind != yaml.ScalarNode || v.Scalar() != nil)
}

// IsObject and IsList report what a value is.
func (v Value) IsObject() bool { return v.Node != nil && v.Node.Kind == yaml.MappingNode }

// IsList reports whether the value is a list.
func (v Value) IsList() bool { return v.Node != nil && v.Node.Kind == yaml.SequenceNode }

// Scalar is a plain value as manifest.ScalarOf has it; nil for all else.
func (v Value) Scalar() any {
	if v.Node == nil || v.Node.Kind != yaml.ScalarNode {
		return nil
	}
	scalar, err := manifest.ScalarOf(v.Node)
	if err != nil {
		return v.Node.Value // as it stands there, without its tag
	}
	return scalar
}

// String is a string, and "" for all else.
func (v Value) String() string {
	s, _ := v.Scalar().(string)
	return s
}

// Place is the node to point at: a plain value itself, else the name of the field that holds it,
// where a reader looks first.
func (v Value) Place() *yaml.Node {
	if v.Node == nil || v.Node.Kind != yaml.ScalarNode && v.name != nil {
		return v.name
	}
	return v.Node
}

// Name is the name of the field that holds the value, to point at; the value itself if none does.
func (v Value) Name() *yaml.Node {
	if v.name == nil {
		return v.Node
	}
	return v.name
}

// Field is a field of an object. One that is absent has a path all the same, and the place of the
// object.
func (v Value) Field(name string) Value {
	for key, field := range v.Fields() {
		if key == name {
			return field
		}
	}
	return Value{Path: child(v.Path, name), name: v.Place()}
}

// Fields are the fields of an object, in their order.
func (v Value) Fields() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if !v.IsObject() {
			return
		}
		for i := 0; i+1 < len(v.Node.Content); i += 2 {
			key := v.Node.Content[i]
			if !yield(key.Value, Value{v.Node.Content[i+1], child(v.Path, key.Value), key}) {
				return
			}
		}
	}
}

// Items are the items of a list.
func (v Value) Items() []Value {
	if !v.IsList() {
		return nil
	}
	items := make([]Value, len(v.Node.Content))
	for i, n := range v.Node.Content {
		items[i] = Value{Node: n, Path: v.Path + "[" + strconv.Itoa(i) + "]"}
		if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
			items[i].name = n.Content[0]
		}
	}
	return items
}

// Describe names what stands there: an object, a list, null, string "512Mi".
func (v Value) Describe() string {
	switch {
	case v.IsObject():
		return "an object"
	case v.IsList():
		return "a list"
	}
	switch x := v.Scalar().(type) {
	case nil:
		return "null"
	case string:
		return "string " + printable.Quote(x)
	case bool:
		return "boolean " + strconv.FormatBool(x)
	case float64:
		return "number " + printable.Cut(v.Node.Value)
	default:
		return fmt.Sprintf("integer %v", x)
	}
}

func child(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
