package openapi

import (
	"encoding/json"
	"fmt"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

// Schemas returns the schemas of all documents by name, with what a type converter for managed
// fields looks at: types, members, references, defaults, and how lists and maps are merged. It
// decodes them at each call, so it is for the first who needs them, and to be kept is what is made
// of them.
func Schemas() (map[string]*spec.Schema, error) {
	schemas := map[string]*spec.Schema{}
	for _, d := range Documents() {
		text, err := d.JSON()
		if err != nil {
			return nil, err
		}
		if err := addSchemas(schemas, text); err != nil {
			return nil, fmt.Errorf("cannot read the OpenAPI document of %s: %w", d.Path, err)
		}
	}
	return schemas, nil
}

// addSchemas adds those schemas of a document that are new. What several documents have is the same
// in all, but for DeleteOptions, which names groups.
func addSchemas(schemas map[string]*spec.Schema, text []byte) error {
	var document struct {
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	for name, raw := range document.Components.Schemas {
		if schemas[name] != nil {
			continue
		}
		var s fieldSchema
		if err := json.Unmarshal(raw, &s); err != nil {
			return fmt.Errorf("schema %s: %w", name, err)
		}
		converted := s.spec()
		schemas[name] = &converted
	}
	return nil
}

// fieldSchema is the part of a schema that decides how fields are owned and merged. The library's
// own type can decode itself, but brings a second JSON decoder into the program for it, and keeps
// every description.
type fieldSchema struct {
	Ref                  string                 `json:"$ref"`
	Type                 string                 `json:"type"`
	Format               string                 `json:"format"`
	Default              any                    `json:"default"`
	AllOf                []fieldSchema          `json:"allOf"`
	Properties           map[string]fieldSchema `json:"properties"`
	Items                *fieldSchema           `json:"items"`
	AdditionalProperties *fieldSchema           `json:"additionalProperties"`
	Kinds                []any                  `json:"x-kubernetes-group-version-kind"`
	ListType             string                 `json:"x-kubernetes-list-type"`
	ListMapKeys          []any                  `json:"x-kubernetes-list-map-keys"`
	MapType              string                 `json:"x-kubernetes-map-type"`
}

func (s fieldSchema) spec() spec.Schema {
	var out spec.Schema
	if s.Ref != "" {
		out.Ref = spec.MustCreateRef(s.Ref)
	}
	if s.Type != "" {
		out.Type = spec.StringOrArray{s.Type}
	}
	out.Format, out.Default, out.Extensions = s.Format, s.Default, s.extensions()
	for _, part := range s.AllOf {
		out.AllOf = append(out.AllOf, part.spec())
	}
	if len(s.Properties) > 0 {
		out.Properties = make(map[string]spec.Schema, len(s.Properties))
	}
	for name, property := range s.Properties {
		out.Properties[name] = property.spec()
	}
	if s.Items != nil {
		items := s.Items.spec()
		out.Items = &spec.SchemaOrArray{Schema: &items}
	}
	if s.AdditionalProperties != nil {
		values := s.AdditionalProperties.spec()
		out.AdditionalProperties = &spec.SchemaOrBool{Allows: true, Schema: &values}
	}
	return out
}

func (s fieldSchema) extensions() spec.Extensions {
	extensions := spec.Extensions{}
	if s.Kinds != nil {
		extensions["x-kubernetes-group-version-kind"] = s.Kinds
	}
	if s.ListType != "" {
		extensions["x-kubernetes-list-type"] = s.ListType
	}
	if s.ListMapKeys != nil {
		extensions["x-kubernetes-list-map-keys"] = s.ListMapKeys
	}
	if s.MapType != "" {
		extensions["x-kubernetes-map-type"] = s.MapType
	}
	if len(extensions) == 0 {
		return nil
	}
	return extensions
}
