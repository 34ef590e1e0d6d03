package survey

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/advisor/cluster"
	"github.com/probity-run/probity/internal/ownership"
)

// Manager is who keeps what is applied of a [Document].
const Manager = "probity"

// Document is a patch as people and kubectl read it.
type Document struct {
	// Text is YAML: what a server-side apply by [Manager] sets, or if that is Unfit, what would
	// have to change, as a strategic merge patch.
	Text string
	// Unfit says why it cannot be applied, or would not last; empty if it can.
	Unfit string
	// Kept are the fields that others keep: an apply has to take them.
	Kept []ownership.Kept
}

// DocumentOf puts a patch in words. What the manager has applied of the object before is in the
// text, too: an apply without it would take it away.
func DocumentOf(p cluster.Patch) (Document, error) {
	text, err := strategicpatch.CreateTwoWayMergePatch(p.Before, p.After, p.Like)
	if err != nil {
		return Document{}, err
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return Document{}, err
	}
	withoutOrder(tree)
	own, err := ownership.Applied(p.Managed, Manager)
	if err != nil {
		return Document{}, err
	}
	d := Document{Unfit: unfit(p, own)}
	zeroed, gone := setting(tree, "")
	if len(gone) > 0 && d.Unfit == "" {
		d.Unfit = "an apply takes nothing away, here " + strings.Join(gone, " and ") + ": edit the object"
	}
	if d.Unfit != "" {
		d.Text, err = asYAML(tree)
		return d, err
	}
	if d.Kept, err = ownership.Keepers(p.Managed, Manager, zeroed); err != nil {
		return Document{}, err
	}
	var after map[string]any
	if err := json.Unmarshal(p.After, &after); err != nil {
		return Document{}, err
	}
	whole := map[string]any{}
	if !own.Whole() {
		whole, _ = own.Of(after).(map[string]any)
	}
	merge(whole, zeroed)
	merge(whole, map[string]any{
		"apiVersion": p.APIVersion, "kind": p.Object.Kind, "metadata": map[string]any{"name": p.Object.Name, "namespace": p.Object.Namespace},
	})
	d.Text, err = asYAML(whole)
	return d, err
}

// unfit says why a patch cannot be applied, or would not last; empty if it can.
func unfit(p cluster.Patch, own ownership.Fields) string {
	spec, _ := own["f:spec"].(map[string]any)
	_, selects := spec["f:selector"]
	_, timed := spec["f:schedule"]
	switch {
	case p.Owner != "":
		return "kept by " + p.Owner + ": change it there"
	case selects || timed:
		return "kept by probity deploy: change it in its file"
	case p.Object.Kind == "Pod" || p.Object.Kind == "Job":
		return fmt.Sprintf("a %s does not change once it is there: make it anew", p.Object.Kind)
	}
	return ""
}

// zeroes are the values of fields that are the same as none, so that an apply need not take them
// away.
func zeroes() map[string]any { return map[string]any{"initialDelaySeconds": 0, "host": ""} }

// setting is a strategic merge patch as what an apply sets, and the paths that it cannot take away.
func setting(tree map[string]any, path string) (set map[string]any, gone []string) {
	set = map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		below := strings.TrimPrefix(path+"."+name, ".")
		zero, hasZero := zeroes()[name]
		switch value := tree[name].(type) {
		case nil:
			if hasZero {
				set[name] = zero
			} else {
				gone = append(gone, below)
			}
		case map[string]any:
			inner, more := setting(value, below)
			set[name], gone = inner, append(gone, more...)
		case []any:
			list, more := settingOf(value, below)
			set[name], gone = list, append(gone, more...)
		default:
			if strings.HasPrefix(name, "$patch") || strings.HasPrefix(name, "$deleteFrom") {
				gone = append(gone, path)
			} else if !strings.HasPrefix(name, "$") {
				set[name] = value
			}
		}
	}
	return set, gone
}

// settingOf is setting of the items of a list.
func settingOf(list []any, path string) (set []any, gone []string) {
	for _, item := range list {
		fields, isMap := item.(map[string]any)
		if !isMap {
			set = append(set, item)
			continue
		}
		inner, more := setting(fields, fmt.Sprintf("%s[%v]", path, fields["name"]))
		set, gone = append(set, inner), append(gone, more...)
	}
	return set, gone
}

// merge puts what a value sets into another one; items of lists are the same if their names are.
func merge(into, from map[string]any) {
	for name, value := range from {
		switch value := value.(type) {
		case map[string]any:
			if have, ok := into[name].(map[string]any); ok {
				merge(have, value)
				continue
			}
		case []any:
			if have, ok := into[name].([]any); ok {
				into[name] = mergeList(have, value)
				continue
			}
		}
		into[name] = value
	}
}

func mergeList(into, from []any) []any {
	nameOf := func(item any) any {
		fields, _ := item.(map[string]any)
		return fields["name"]
	}
	for _, item := range from {
		if nameOf(item) == nil {
			return from // as a whole
		}
		i := slices.IndexFunc(into, func(have any) bool { return nameOf(have) == nameOf(item) })
		if i < 0 {
			into = append(into, item)
			continue
		}
		merge(into[i].(map[string]any), item.(map[string]any))
	}
	return into
}

func asYAML(tree map[string]any) (string, error) {
	lines, err := yaml.Marshal(tree)
	return string(lines), err
}

// withoutOrder takes away what says in which order the items of lists are: it stays as it is.
func withoutOrder(tree map[string]any) {
	for name, value := range tree {
		if strings.HasPrefix(name, "$setElementOrder/") {
			delete(tree, name)
			continue
		}
		switch v := value.(type) {
		case map[string]any:
			withoutOrder(v)
		case []any:
			for _, item := range v {
				if m, ok := item.(map[string]any); ok {
					withoutOrder(m)
				}
			}
		}
	}
}
