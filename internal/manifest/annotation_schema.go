package manifest

import (
	"regexp"
	"strings"
)

// AnnotationSchema is a JSON schema, of draft 7, for files with Kubernetes' objects: it says
// nothing but what the values of Probity's annotations are and where which of them may stand. An
// editor holds a file against Kubernetes' own schema as well. It is made of [Annotations].
func AnnotationSchema() map[string]any {
	template := at("metadata", at("annotations", places(PlaceTemplate, PlaceObject, PlaceWritten)))
	spec := map[string]any{"properties": map[string]any{"template": template, "jobTemplate": at("spec", at("template", template))}}
	return map[string]any{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "Kubernetes objects with annotations of Probity",
		"description": "The annotations that begin with probity.run/. Nothing else is looked at.",
		"type":        "object",
		"properties":  map[string]any{"spec": spec},
		"allOf": []any{
			ofKind(isKind("Pod"), PlacePod, PlaceTemplate, PlaceObject, PlaceWritten),
			ofKind(isKind("Service"), PlaceService, PlaceObject, PlaceWritten),
			ofKind(map[string]any{"not": map[string]any{"enum": []any{"Pod", "Service"}}}, PlaceObject, PlaceWritten),
		},
	}
}

// at is the schema of an object whose field, if it is there, has this one.
func at(field string, value any) map[string]any {
	return map[string]any{"properties": map[string]any{field: value}}
}

func isKind(kind string) map[string]any { return map[string]any{"const": kind} }

// ofKind is what holds of the metadata of objects of a kind, which is a schema itself.
func ofKind(kind map[string]any, all ...Place) map[string]any {
	condition := at("kind", kind)
	condition["required"] = []any{"kind"}
	return map[string]any{"if": condition, "then": at("metadata", at("annotations", places(all...)))}
}

// places is the schema of annotations where those of some places may stand, and no other ones of
// Probity.
func places(all ...Place) map[string]any {
	properties, patterns := map[string]any{}, map[string]any{}
	names := []any{map[string]any{"not": map[string]any{"pattern": "^" + regexp.QuoteMeta(annotationPrefix)}}}
	var single []any
	for _, place := range all {
		for _, a := range Annotations() {
			if a.Place != place {
				continue
			}
			if prefix, many := a.Prefix(); many {
				pattern := "^" + regexp.QuoteMeta(prefix) + "."
				patterns[pattern] = a.schema()
				names = append(names, map[string]any{"pattern": pattern})
				continue
			}
			properties[a.Key] = a.schema()
			single = append(single, a.Key)
		}
	}
	names = append(names, map[string]any{"enum": single})
	return map[string]any{"properties": properties, "patternProperties": patterns, "propertyNames": map[string]any{"anyOf": names}}
}

// schema is that of a value.
func (a Annotation) schema() map[string]any {
	value := map[string]any{"type": "string", "description": a.description()}
	if a.Pattern != "" {
		value["pattern"] = a.Pattern
	}
	return value
}

// description is what an editor shows of it.
func (a Annotation) description() string {
	if a.Place == PlaceWritten {
		return "Written by Probity: " + strings.ReplaceAll(a.Text, "`", "") + "."
	}
	return strings.ReplaceAll(a.Value+": "+a.Text, "`", "") + "."
}
