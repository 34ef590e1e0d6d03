package node

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/store"
)

// storeObjects finds ConfigMaps and Secrets in the store.
type storeObjects struct{ store *store.Store }

// ConfigMap implements [program.Objects].
func (o storeObjects) ConfigMap(namespace, name string) (*corev1.ConfigMap, bool) {
	cm, err := store.Get[*corev1.ConfigMap](o.store, namespace, name)
	return cm, err == nil
}

// Secret implements [program.Objects].
func (o storeObjects) Secret(namespace, name string) (*corev1.Secret, bool) {
	secret, err := store.Get[*corev1.Secret](o.store, namespace, name)
	return secret, err == nil
}

// Services implements [program.Objects].
func (o storeObjects) Services(namespace string) []*corev1.Service {
	services, _ := store.List[*corev1.Service](o.store, store.Selector{Namespace: namespace})
	return services
}
