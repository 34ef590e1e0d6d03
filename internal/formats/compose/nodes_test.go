package compose_test

import (
	"testing"

	"go.yaml.in/yaml/v3"
)

// nodes is the root of a document.
func nodes(t testing.TB, text string) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Content) == 0 {
		return &doc
	}
	return doc.Content[0]
}
