package stage

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/test/differential/scenario"
)

func TestPrepare(t *testing.T) {
	manifest := `kind: Pod
spec:
  initContainers:
  - {name: i, command: [PLAYER, do]}
  containers:
  - {name: a, command: [PLAYER, serve], env: [{name: A, value: x}]}
---
kind: Service
spec: {ports: [{port: 80}]}
`
	objects, err := prepare(manifest, ContainerSetup{Player: "/player", Image: "image", Ledger: "/ledger", Mount: "/here"})
	if err != nil || len(objects) != 2 {
		t.Fatalf("%d objects, %v", len(objects), err)
	}
	text, err := yaml.Marshal(objects[0].Object)
	if err != nil {
		t.Fatal(err)
	}
	for want, times := range map[string]int{
		"image: image": 2, "- /player": 2, "mountPath: /ledger": 2, "path: /here": 1, "name: PLAYER_LEDGER": 2, "fieldPath: metadata.name": 2, "name: A\n": 1,
	} {
		if got := strings.Count(string(text), want); got != times {
			t.Errorf("%q is there %d times, want %d:\n%s", want, got, times, text)
		}
	}
	if ports, ok, _ := unstructured.NestedSlice(objects[1].Object, "spec", "ports"); !ok || len(ports) != 1 {
		t.Errorf("the Service was changed: %v", objects[1].Object)
	}
}

// Every manifest of every scenario can be read, on both kinds of systems.
func TestPrepareScenarios(t *testing.T) {
	for _, s := range scenario.All() {
		manifests := []string{s.Manifest}
		for _, step := range s.Steps {
			manifests = append(manifests, step.Apply)
		}
		for _, m := range manifests {
			if _, err := prepare(m, ContainerSetup{Player: "/player", Image: "image", Ledger: "/ledger"}); err != nil {
				t.Errorf("%s: %v", s.ID, err)
			}
		}
	}
}
