package proxy

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestCacheIgnoresOlderObjects(t *testing.T) {
	c := cache{services: map[types.NamespacedName]*corev1.Service{}}
	service := func(version string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", ResourceVersion: version}}
	}
	if !keepNewer(c.services, service("12"), "MODIFIED") || keepNewer(c.services, service("9"), "MODIFIED") || keepNewer(c.services, service("12"), "ADDED") {
		t.Error("an object that is not newer replaced one")
	}
	if !keepNewer(c.services, service("100"), "DELETED") || len(c.services) != 0 {
		t.Error("a deletion was ignored")
	}
}
