package workload

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// TestOutOfRotation: a Pod that was taken out by hand serves and is not ready, also for a Service
// that publishes Pods that are not ready.
func TestOutOfRotation(t *testing.T) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{manifest.AnnotationRotation: manifest.RotationOut}},
		Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
	for _, publish := range []bool{false, true} {
		c := EndpointConditions(pod, publish)
		if *c.Ready || !*c.Serving || *c.Terminating {
			t.Errorf("publish %v: ready %v, serving %v, terminating %v", publish, *c.Ready, *c.Serving, *c.Terminating)
		}
	}
	delete(pod.Annotations, manifest.AnnotationRotation)
	if c := EndpointConditions(pod, false); !*c.Ready {
		t.Error("it stays out")
	}
}
