package deploy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/probity-run/probity/internal/ownership"
)

// restored is what brings an object back to how it was before it was applied, by applying it: the
// fields that the manager kept before or keeps now, with the values that they had. What others have
// taken from it meanwhile is theirs; partly reports whether there is any.
func restored(before, after *unstructured.Unstructured, manager string) (old *unstructured.Unstructured, partly bool, err error) {
	set, err := ownership.Applied(before.GetManagedFields(), manager)
	if err != nil {
		return nil, false, err
	}
	now, err := ownership.Applied(after.GetManagedFields(), manager)
	if err != nil {
		return nil, false, err
	}
	theirs, err := ownership.Others(after.GetManagedFields(), manager)
	if err != nil {
		return nil, false, err
	}
	theirs.Take(now) // what is shared is not taken
	partly = set.Take(theirs)
	set.Add(now)
	part, _ := set.Of(before.Object).(map[string]any)
	if set.Whole() {
		part = map[string]any{}
	}
	old = &unstructured.Unstructured{Object: part}
	old.SetAPIVersion(after.GetAPIVersion())
	old.SetKind(after.GetKind())
	old.SetName(before.GetName())
	if namespace := before.GetNamespace(); namespace != "" {
		old.SetNamespace(namespace)
	}
	return old.DeepCopy(), partly, nil
}
