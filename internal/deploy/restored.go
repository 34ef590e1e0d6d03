package deploy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/probity-run/probity/internal/ownership"
)

// restored is what brings an object back to how it was before it was applied, by applying it: the
// fields that the manager kept before or keeps now, with the values that they had.
func restored(before, after *unstructured.Unstructured, manager string) (*unstructured.Unstructured, error) {
	set, err := ownership.Applied(before.GetManagedFields(), manager)
	if err != nil {
		return nil, err
	}
	now, err := ownership.Applied(after.GetManagedFields(), manager)
	if err != nil {
		return nil, err
	}
	set.Add(now)
	part, _ := set.Of(before.Object).(map[string]any)
	if set.Whole() {
		part = map[string]any{}
	}
	old := &unstructured.Unstructured{Object: part}
	old.SetAPIVersion(after.GetAPIVersion())
	old.SetKind(after.GetKind())
	old.SetName(before.GetName())
	if namespace := before.GetNamespace(); namespace != "" {
		old.SetNamespace(namespace)
	}
	return old.DeepCopy(), nil
}
