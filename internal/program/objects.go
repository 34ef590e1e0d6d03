package program

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// Objects finds the objects that containers refer to. The second result reports whether it exists.
type Objects interface {
	ConfigMap(namespace, name string) (*corev1.ConfigMap, bool)
	Secret(namespace, name string) (*corev1.Secret, bool)
}

// Manifests finds ConfigMaps and Secrets among the objects of manifests.
type Manifests []manifest.Object

// ConfigMap implements [Objects].
func (m Manifests) ConfigMap(namespace, name string) (*corev1.ConfigMap, bool) {
	return find[*corev1.ConfigMap](m, namespace, name)
}

// Secret implements [Objects].
func (m Manifests) Secret(namespace, name string) (*corev1.Secret, bool) {
	return find[*corev1.Secret](m, namespace, name)
}

func find[T manifest.Resource](objects []manifest.Object, namespace, name string) (T, bool) {
	for _, o := range objects {
		if r, ok := o.Resource.(T); ok && r.GetNamespace() == namespace && r.GetName() == name {
			return r, true
		}
	}
	var none T
	return none, false
}
