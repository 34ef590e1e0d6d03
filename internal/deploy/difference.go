package deploy

import (
	"maps"
	"reflect"

	"github.com/rogpeppe/go-internal/diff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// hidden stands for the value of a Secret.
const hidden = "••••"

// Difference is what changes from one state of an object to another as a unified difference, in
// YAML; nothing if nothing does. Who manages which field and the status are left out, and the
// values of Secrets are hidden. nil is an object that is not there.
func Difference(name string, before, after *unstructured.Unstructured) ([]byte, error) {
	old, now := shown(before), shown(after)
	hideSecret(old, now)
	oldText, err := text(old)
	if err != nil {
		return nil, err
	}
	nowText, err := text(now)
	if err != nil {
		return nil, err
	}
	return diff.Diff("live/"+name, oldText, "deploy/"+name, nowText), nil
}

func text(object map[string]any) ([]byte, error) {
	if object == nil {
		return nil, nil
	}
	return yaml.Marshal(object)
}

// shown is an object without what a server keeps for itself.
func shown(o *unstructured.Unstructured) map[string]any {
	if o == nil {
		return nil
	}
	object := o.DeepCopy().Object
	delete(object, "status")
	if meta, ok := object["metadata"].(map[string]any); ok {
		for _, name := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"} {
			delete(meta, name)
		}
	}
	return object
}

// lastApplied is the annotation in which kubectl apply keeps the whole object.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// hideSecret puts dots in the place of the values of a Secret. One that changes has more of them
// afterwards, so that the difference tells that. What kubectl apply has kept of it is left out: it
// has the values once more.
func hideSecret(old, now map[string]any) {
	if kind(old) != "Secret" && kind(now) != "Secret" {
		return
	}
	for _, object := range []map[string]any{old, now} {
		unstructured.RemoveNestedField(object, "metadata", "annotations", lastApplied)
	}
	for _, name := range []string{"data", "stringData"} {
		was, _ := old[name].(map[string]any)
		is, _ := now[name].(map[string]any)
		same := map[string]bool{}
		for key, value := range was {
			same[key] = reflect.DeepEqual(value, is[key])
		}
		for key := range maps.Keys(was) {
			was[key] = hidden
		}
		for key := range maps.Keys(is) {
			is[key] = hidden
			if known, ok := same[key]; ok && !known {
				is[key] = hidden + " (changed)"
			}
		}
	}
}

func kind(object map[string]any) string {
	name, _ := object["kind"].(string)
	return name
}

// unchanged reports whether applying has changed nothing that the server keeps.
func unchanged(before, after *unstructured.Unstructured) bool {
	return before != nil && before.GetUID() == after.GetUID() && before.GetResourceVersion() == after.GetResourceVersion() && before.GetGeneration() == after.GetGeneration()
}

// alike reports whether two states of an object are the same to people.
func alike(before, after *unstructured.Unstructured) bool {
	return before != nil && reflect.DeepEqual(shown(before), shown(after))
}
