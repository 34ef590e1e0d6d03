package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// fieldSet is a set of fields in the form of managedFields: "f:name" of a mapping, "k:{…}" and
// "v:…" of a list, "." for the thing itself.
type fieldSet map[string]any

// fieldsOf are those that a manager has applied.
func fieldsOf(o *unstructured.Unstructured, manager string) (fieldSet, error) {
	all := fieldSet{}
	for _, entry := range o.GetManagedFields() {
		if entry.Manager != manager || entry.Operation != metav1.ManagedFieldsOperationApply || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		var set fieldSet
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &set); err != nil {
			return nil, fmt.Errorf("cannot read who manages which field: %w", err)
		}
		all.add(set)
	}
	return all, nil
}

// add joins another set to this one.
func (f fieldSet) add(other fieldSet) {
	for name, below := range other {
		more, _ := below.(map[string]any)
		have, ok := f[name].(map[string]any)
		if !ok {
			have = map[string]any{}
			f[name] = have
		}
		fieldSet(have).add(more)
	}
}

// of are the parts of a value that lie in the set. What the set names and the value has not is left
// out.
func (f fieldSet) of(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if f.whole() {
			return value
		}
		part := map[string]any{}
		for name, below := range f {
			key, ok := strings.CutPrefix(name, "f:")
			have, there := value[key]
			if ok && there {
				part[key] = setBelow(below).of(have)
			}
		}
		return part
	case []any:
		if f.whole() {
			return value
		}
		return f.items(value)
	}
	return value
}

// setBelow is a set below a name of a set.
func setBelow(below any) fieldSet {
	set, _ := below.(map[string]any)
	return set
}

// whole reports whether the set names nothing below the thing itself, which then belongs to it as a
// whole.
func (f fieldSet) whole() bool {
	for name := range f {
		if name != "." {
			return false
		}
	}
	return true
}

// items are the parts of the items of a list that the set names by their keys or values.
func (f fieldSet) items(list []any) []any {
	part := []any{}
	for _, item := range list {
		for name, below := range f {
			if matches(name, item) {
				part = append(part, withKeys(name, item, setBelow(below).of(item)))
				break
			}
		}
	}
	return part
}

// matches reports whether an item of a list is the one that a name of a set means.
func matches(name string, item any) bool {
	if text, ok := strings.CutPrefix(name, "k:"); ok {
		var keys map[string]any
		have, isMap := item.(map[string]any)
		if json.Unmarshal([]byte(text), &keys) != nil || !isMap {
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

// withKeys is a part of an item with the keys by which it is found.
func withKeys(name string, item, part any) any {
	have, isMap := item.(map[string]any)
	fields, ok := part.(map[string]any)
	text, isKeys := strings.CutPrefix(name, "k:")
	var keys map[string]any
	if !isMap || !ok || !isKeys || json.Unmarshal([]byte(text), &keys) != nil {
		return part
	}
	fields = maps.Clone(fields)
	for key := range keys {
		fields[key] = have[key]
	}
	return fields
}

// restored is what brings an object back to how it was before it was applied, by applying it: the
// fields that the manager kept before or keeps now, with the values that they had.
func restored(before, after *unstructured.Unstructured, manager string) (*unstructured.Unstructured, error) {
	set, err := fieldsOf(before, manager)
	if err != nil {
		return nil, err
	}
	now, err := fieldsOf(after, manager)
	if err != nil {
		return nil, err
	}
	set.add(now)
	part, _ := set.of(before.Object).(map[string]any)
	if set.whole() {
		part = map[string]any{}
	}
	old := &unstructured.Unstructured{Object: part}
	old.SetAPIVersion(after.GetAPIVersion())
	old.SetKind(after.GetKind())
	old.SetName(before.GetName())
	if namespace := before.GetNamespace(); namespace != "" {
		old.SetNamespace(namespace)
	}
	return old.DeepCopy(), nil
}
