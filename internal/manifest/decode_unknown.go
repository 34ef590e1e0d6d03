package manifest

import (
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/printable"
)

// objectSchema is the fields that an object may have, and the objects around it, to find where a
// misplaced field belongs.
type objectSchema struct {
	path   string
	fields []structField
	up     *objectSchema
	d      *decoder // for its cache of types
}

type structField struct {
	name string // in JSON
	typ  reflect.Type
}

func (o *objectSchema) field(name string) (reflect.Type, bool) {
	i := slices.IndexFunc(o.fields, func(f structField) bool { return f.name == name })
	if i < 0 {
		return nil, false
	}
	return o.fields[i].typ, true
}

// structFields lists a struct's JSON fields, those of inlined structs included.
func (d *decoder) structFields(t reflect.Type) []structField {
	if fields, ok := d.types[t]; ok {
		return fields
	}
	var fields []structField
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name == "" && f.Anonymous:
			fields = append(fields, d.structFields(f.Type)...)
		case name != "":
			fields = append(fields, structField{name, f.Type})
		}
	}
	d.types[t] = fields
	return fields
}

// unknownField says so, and what was probably meant.
func (d *decoder) unknownField(keyNode *yaml.Node, key string, o *objectSchema) {
	hint := ""
	if len(d.errs) < maxErrors { // guessing is the expensive part
		hint = o.hint(key)
	}
	d.failAt(keyNode, childPath(o.path, printable.Cut(key)), ReasonUnknownField, "unknown field%s", hint)
}

// noteKeys remembers where the fields of an unknown field are, one step down, so that one can see
// what it was meant to be.
func (d *decoder) noteKeys(path string, n *yaml.Node) {
	if n = d.follow(n); n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Kind == yaml.ScalarNode {
			d.fields[childPath(path, key.Value)] = d.fieldPosition(key, false)
		}
	}
}

func (o *objectSchema) hint(key string) string {
	var names []string
	for _, f := range o.fields {
		names = append(names, f.name)
	}
	if guess := Closest(key, names); guess != "" {
		return ", did you mean " + guess + "?"
	}
	for up := o.up; up != nil; up = up.up {
		if _, ok := up.field(key); ok {
			if up.path == "" {
				return ", it belongs at the top level"
			}
			return ", it belongs in " + up.path
		}
	}
	if places := o.below(key); len(places) > 0 {
		return ", it belongs in " + strings.Join(places, " or ")
	}
	return ""
}

// below finds the places one step further down, else two steps, that have such a field. Beside
// other containers, the ordinary ones are what people mean. More than three places are no help.
func (o *objectSchema) below(key string) []string {
	level := []objectSchema{*o}
	for range 2 {
		var next []objectSchema
		for _, at := range level {
			next = append(next, at.children()...)
		}
		var places []string
		for _, c := range next {
			if _, ok := c.field(key); ok {
				places = append(places, c.path)
			}
		}
		if i := slices.IndexFunc(places, isOrdinaryContainer); i >= 0 {
			return places[i : i+1]
		}
		if len(places) > 0 && len(places) <= 3 {
			return places
		}
		level = next
	}
	return nil
}

func isOrdinaryContainer(path string) bool { return strings.HasSuffix(path, ".containers[]") }

// children lists the objects that fields of o hold, alone or in lists. Nobody means to write a
// status.
func (o *objectSchema) children() []objectSchema {
	var out []objectSchema
	for _, f := range o.fields {
		path, t := childPath(o.path, f.name), f.typ
		if t == nil { // of a List, which has no type here
			continue
		}
		if t.Kind() == reflect.Slice {
			path, t = path+"[]", t.Elem()
		}
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Struct && !isCustom(t) && f.name != "status" {
			out = append(out, objectSchema{path: path, fields: o.d.structFields(t), d: o.d})
		}
	}
	return out
}
