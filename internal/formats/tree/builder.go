package tree

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/manifest"
)

// A Builder makes the nodes of one object. Each node has the place of the value that it comes from,
// and that value's path is noted. Not safe for concurrent use.
type Builder struct {
	fields  map[*yaml.Node]string
	implied map[*yaml.Node]bool
}

// NewBuilder returns a builder for one object.
func NewBuilder() *Builder { return &Builder{map[*yaml.Node]string{}, map[*yaml.Node]bool{}} }

// Object is the finished object.
func (b *Builder) Object(root *yaml.Node, ref manifest.Ref) manifest.ConvertedObject {
	return manifest.ConvertedObject{Root: root, Fields: b.fields, Implied: b.implied, Ref: ref}
}

func (b *Builder) node(from Value, kind yaml.Kind, tag, value string) *yaml.Node {
	n := &yaml.Node{Kind: kind, Tag: tag, Value: value}
	if place := from.Place(); place != nil {
		n.Line, n.Column = place.Line, place.Column
	}
	if from.Path != "" {
		b.fields[n] = from.Path
	}
	if from.Node == nil {
		b.implied[n] = true
	}
	return n
}

// String is a string that comes from a value.
func (b *Builder) String(from Value, s string) *yaml.Node {
	n := b.node(from, yaml.ScalarNode, "!!str", s)
	n.Style = yaml.DoubleQuotedStyle // whatever it looks like, it is a string
	return n
}

// Int is a whole number.
func (b *Builder) Int(from Value, i int64) *yaml.Node {
	return b.node(from, yaml.ScalarNode, "!!int", strconv.FormatInt(i, 10))
}

// List is a list of nodes; those that are nil are left out.
func (b *Builder) List(from Value, items ...*yaml.Node) *yaml.Node {
	n := b.node(from, yaml.SequenceNode, "!!seq", "")
	n.Content = slices.DeleteFunc(items, func(n *yaml.Node) bool { return n == nil })
	return n
}

// Strings is a list of strings that all come from one value.
func (b *Builder) Strings(from Value, list []string) *yaml.Node {
	n := b.node(from, yaml.SequenceNode, "!!seq", "")
	for _, s := range list {
		n.Content = append(n.Content, b.String(from, s))
	}
	return n
}

// A Pair is a field of an object. One whose value is nil is left out.
type Pair struct {
	Name  string
	Value *yaml.Node
}

// Map is an object. Its fields have the places of their values.
func (b *Builder) Map(from Value, pairs ...Pair) *yaml.Node {
	n := b.node(from, yaml.MappingNode, "!!map", "")
	for _, p := range pairs {
		b.Set(n, p.Name, p.Value)
	}
	return n
}

// Set adds a field to an object, unless its value is nil.
func (b *Builder) Set(object *yaml.Node, name string, value *yaml.Node) {
	if value == nil {
		return
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: name, Line: value.Line, Column: value.Column}
	object.Content = append(object.Content, key, value)
}

// Absent stands for a field that is not there, so that what is said about it has a path and a
// place. It is null, which is the same.
func (b *Builder) Absent(from Value) *yaml.Node {
	return b.node(from, yaml.ScalarNode, "!!null", "")
}
