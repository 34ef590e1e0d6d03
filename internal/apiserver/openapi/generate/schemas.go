package main

import (
	"fmt"
	"strings"
)

// refsOf returns the names of the schemas that a JSON value refers to, as often as it does.
func refsOf(value any) []string {
	var names []string
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if ref, is := member.(string); is && key == "$ref" {
				names = append(names, strings.TrimPrefix(ref, "#/components/schemas/"))
			} else {
				names = append(names, refsOf(member)...)
			}
		}
	case []any:
		for _, member := range value {
			names = append(names, refsOf(member)...)
		}
	}
	return names
}

// closure returns the schemas with these names and all that they refer to, directly or not.
func closure(all map[string]any, roots []string) (map[string]any, error) {
	kept := map[string]any{}
	for len(roots) > 0 {
		name := roots[0]
		roots = roots[1:]
		if _, done := kept[name]; done {
			continue
		}
		schema, there := all[name]
		if !there {
			return nil, fmt.Errorf("there is no schema %s, which is referred to", name)
		}
		kept[name] = schema
		roots = append(roots, refsOf(schema)...)
	}
	return kept, nil
}
