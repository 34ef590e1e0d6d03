package ownership

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Fields is a set of fields in the form of managedFields: "f:name" of a mapping, "k:{…}" and "v:…"
// of a list, "." for the thing itself.
type Fields map[string]any

// Applied are those that a manager has applied, by the managed fields of an object.
func Applied(entries []metav1.ManagedFieldsEntry, manager string) (Fields, error) {
	all := Fields{}
	for _, entry := range entries {
		if entry.Manager != manager || entry.Operation != metav1.ManagedFieldsOperationApply || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		set, err := read(entry)
		if err != nil {
			return nil, err
		}
		all.Add(set)
	}
	return all, nil
}

// read are the fields of an entry.
func read(entry metav1.ManagedFieldsEntry) (set Fields, err error) {
	if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &set); err != nil {
		return nil, fmt.Errorf("cannot read who manages which field: %w", err)
	}
	return set, nil
}

// Add joins another set to this one.
func (f Fields) Add(other Fields) {
	for name, below := range other {
		more, _ := below.(map[string]any)
		have, ok := f[name].(map[string]any)
		if !ok {
			have = map[string]any{}
			f[name] = have
		}
		Fields(have).Add(more)
	}
}

// Others are those that others than a manager keep, by whatever operation.
func Others(entries []metav1.ManagedFieldsEntry, manager string) (Fields, error) {
	all := Fields{}
	for _, entry := range entries {
		if entry.Manager == manager || entry.FieldsV1 == nil {
			continue
		}
		set, err := read(entry)
		if err != nil {
			return nil, err
		}
		all.Add(set)
	}
	return all, nil
}

// Take takes the fields of another set out of this one, and reports whether there were any. Of what
// this set has as a whole, and the other one a part, nothing is taken.
func (f Fields) Take(other Fields) (taken bool) {
	for name, below := range other {
		mine, ok := f[name]
		if !ok || name == "." {
			continue
		}
		have, theirs := setBelow(mine), setBelow(below)
		switch {
		case len(theirs) == 0:
			delete(f, name)
			taken = true
		case !have.Whole() && have.Take(theirs):
			if have.Whole() {
				delete(f, name) // what is left would name the thing as a whole
			}
			taken = true
		}
	}
	return taken
}

// Of are the parts of a value that lie in the set. What the set names and the value has not is left
// out.
func (f Fields) Of(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if f.Whole() {
			return value
		}
		part := map[string]any{}
		for name, below := range f {
			key, ok := strings.CutPrefix(name, "f:")
			have, there := value[key]
			if ok && there {
				part[key] = setBelow(below).Of(have)
			}
		}
		return part
	case []any:
		if f.Whole() {
			return value
		}
		return f.items(value)
	}
	return value
}

// setBelow is a set below a name of a set.
func setBelow(below any) Fields {
	set, _ := below.(map[string]any)
	return set
}

// Whole reports whether the set names nothing below the thing itself, which then belongs to it as a
// whole.
func (f Fields) Whole() bool {
	for name := range f {
		if name != "." {
			return false
		}
	}
	return true
}

// items are the parts of the items of a list that the set names by their keys or values.
func (f Fields) items(list []any) []any {
	part := []any{}
	for _, item := range list {
		for name, below := range f {
			if matches(name, item) {
				part = append(part, withKeys(name, item, setBelow(below).Of(item)))
				break
			}
		}
	}
	return part
}

// matches reports whether an item of a list is the one that a name of a set means.
func matches(name string, item any) bool {
	if keys := keysOf(name); keys != nil {
		have, isMap := item.(map[string]any)
		if !isMap {
			return false
		}
		for key, want := range keys {
			if fmt.Sprint(have[key]) != fmt.Sprint(want) {
				return false
			}
		}
		return true
	}
	text, ok := strings.CutPrefix(name, "v:")
	var want any
	return ok && json.Unmarshal([]byte(text), &want) == nil && fmt.Sprint(want) == fmt.Sprint(item)
}

// keysOf are the keys by which a name of a set finds an item of a list; nil if it is no such name.
func keysOf(name string) (keys map[string]any) {
	text, ok := strings.CutPrefix(name, "k:")
	if !ok || json.Unmarshal([]byte(text), &keys) != nil {
		return nil
	}
	return keys
}

// withKeys is a part of an item with the keys by which it is found.
func withKeys(name string, item, part any) any {
	have, isMap := item.(map[string]any)
	fields, ok := part.(map[string]any)
	keys := keysOf(name)
	if !isMap || !ok || keys == nil {
		return part
	}
	fields = maps.Clone(fields)
	for key := range keys {
		fields[key] = have[key]
	}
	return fields
}
