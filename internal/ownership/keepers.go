package ownership

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Kept is a field that somebody keeps.
type Kept struct {
	// Field is its path, as in spec.template.spec.containers[name="web"].image.
	Field string
	// Manager is who keeps it, and Subresource by which one, if by any.
	Manager, Subresource string
}

// Keepers are the fields of a part of an object that others than a manager keep, by the object's
// managed fields: what an apply of the part by that manager would be refused for, if it changes
// them all. Of items of lists the fields by which they are found do not count.
func Keepers(entries []metav1.ManagedFieldsEntry, manager string, part map[string]any) ([]Kept, error) {
	var all []Kept
	for _, entry := range entries {
		if entry.Manager == manager || entry.FieldsV1 == nil {
			continue
		}
		set, err := read(entry)
		if err != nil {
			return nil, err
		}
		for _, field := range set.leaves("", part, nil) {
			all = append(all, Kept{field, entry.Manager, entry.Subresource})
		}
	}
	slices.SortFunc(all, func(a, b Kept) int { return strings.Compare(a.Field+" "+a.Manager, b.Field+" "+b.Manager) })
	return slices.Compact(all), nil
}

// leaves are the paths of the fields of a value that lie in the set, but for those of keys.
func (f Fields) leaves(path string, value any, keys map[string]any) (all []string) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			below, ok := f["f:"+name]
			if _, isKey := keys[name]; ok && !isKey {
				all = append(all, setBelow(below).leaves(strings.TrimPrefix(path+"."+name, "."), value[name], nil)...)
			}
		}
		return all
	case []any:
		if f.Whole() {
			return []string{path}
		}
		for _, item := range value {
			for name, below := range f {
				if matches(name, item) {
					keys := keysOf(name)
					all = append(all, setBelow(below).leaves(path+bracket(keys), item, keys)...)
				}
			}
		}
		return all
	}
	return []string{path}
}

// bracket is how an item is named by its keys: [name="web"].
func bracket(keys map[string]any) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if text, ok := keys[key].(string); ok {
			parts = append(parts, fmt.Sprintf("%s=%q", key, text))
			continue
		}
		parts = append(parts, fmt.Sprintf("%s=%v", key, keys[key]))
	}
	return "[" + strings.Join(parts, ",") + "]"
}
