package program

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// Objects finds the objects that containers refer to. The second result reports whether it exists.
type Objects interface {
	ConfigMap(namespace, name string) (*corev1.ConfigMap, bool)
	Secret(namespace, name string) (*corev1.Secret, bool)
	// Services are all of a namespace.
	Services(namespace string) []*corev1.Service
}

// Manifests finds ConfigMaps, Secrets and Services among the objects of manifests.
type Manifests []manifest.Object

// ConfigMap implements [Objects].
func (m Manifests) ConfigMap(namespace, name string) (*corev1.ConfigMap, bool) {
	return find[*corev1.ConfigMap](m, namespace, name)
}

// Secret implements [Objects].
func (m Manifests) Secret(namespace, name string) (*corev1.Secret, bool) {
	return find[*corev1.Secret](m, namespace, name)
}

// Services implements [Objects]. They have no address before they are made.
func (m Manifests) Services(namespace string) (services []*corev1.Service) {
	for _, o := range m {
		if s, ok := o.Resource.(*corev1.Service); ok && s.Namespace == namespace {
			services = append(services, s)
		}
	}
	return services
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
