package ownership

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestKeepers: fields of the part alone, also those of items of lists; not keys, and not what the
// manager keeps itself.
func TestKeepers(t *testing.T) {
	entry := func(manager, subresource, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Subresource: subresource, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	entries := []metav1.ManagedFieldsEntry{
		entry("kubectl", "", `{"f:spec":{"f:replicas":{},"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:name":{},"f:image":{},"f:args":{}},"k:{\"name\":\"log\"}":{"f:image":{}}}}}`),
		entry("hpa", "scale", `{"f:spec":{"f:replicas":{}}}`),
		entry("probity", "", `{"f:spec":{"f:replicas":{}}}`),
		{Manager: "old"},
	}
	tests := map[string]struct {
		part string
		want []Kept
	}{
		"of two":       {`{"spec":{"replicas":1}}`, []Kept{{"spec.replicas", "hpa", "scale"}, {"spec.replicas", "kubectl", ""}}},
		"of an item":   {`{"spec":{"containers":[{"name":"web","image":"x"}]}}`, []Kept{{`spec.containers[name="web"].image`, "kubectl", ""}}},
		"a whole list": {`{"spec":{"containers":[{"name":"web","args":["x"]}]}}`, []Kept{{`spec.containers[name="web"].args`, "kubectl", ""}}},
		"a new item":   {`{"spec":{"containers":[{"name":"new","image":"x"}]}}`, nil},
		"a new field":  {`{"spec":{"paused":true},"metadata":{"labels":{"a":"b"}}}`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var part map[string]any
			if err := json.Unmarshal([]byte(test.part), &part); err != nil {
				t.Fatal(err)
			}
			got, err := Keepers(entries, "probity", part)
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
	if _, err := Keepers([]metav1.ManagedFieldsEntry{entry("x", "", "{")}, "", nil); err == nil {
		t.Error("what cannot be read is nothing")
	}
}
