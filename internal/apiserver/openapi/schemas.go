package openapi

import (
	"encoding/json"
	"fmt"
	"maps"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

// Schemas returns the schemas of all documents by name: what a type converter for managed fields is
// made of. It decodes them at each call, which takes 30 ms and leaves 11 MB of garbage, so it is
// for the first who needs them, and to be kept is what is made of them.
func Schemas() (map[string]*spec.Schema, error) {
	schemas := map[string]*spec.Schema{}
	for _, d := range Documents() {
		text, err := d.JSON()
		if err != nil {
			return nil, err
		}
		var document struct {
			Components struct {
				Schemas map[string]*spec.Schema `json:"schemas"`
			} `json:"components"`
		}
		if err := json.Unmarshal(text, &document); err != nil {
			return nil, fmt.Errorf("cannot read the OpenAPI document of %s: %w", d.Path, err)
		}
		// what several documents have is the same in all, but for DeleteOptions, which names groups
		maps.Copy(schemas, document.Components.Schemas)
	}
	return schemas, nil
}
