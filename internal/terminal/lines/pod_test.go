package lines

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestReadyUnasked: a Pod is Ready as soon as it runs if it has nothing that could say otherwise,
// which is no sign that it serves; the line says so.
func TestReadyUnasked(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		want   string
	}{
		"liveness alone": {func(p *corev1.Pod) { p.Spec.Containers[0].ReadinessProbe = nil }, ", without a readiness probe"},
		"startup": {func(p *corev1.Pod) {
			c := &p.Spec.Containers[0]
			c.StartupProbe, c.ReadinessProbe = c.ReadinessProbe, nil
		}, ""},
		"a gate": {func(p *corev1.Pod) {
			p.Spec.Containers[0].ReadinessProbe, p.Spec.ReadinessGates = nil, []corev1.PodReadinessGate{{ConditionType: "example.org/open"}}
		}, ""},
		"readiness": {func(*corev1.Pod) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newStage(t, false), examplePod("web-1")
			test.change(p)
			s.pod(p, running("a"))
			s.pod(p, ready(true))
			s.want("0.0 Started pod/web-1: pid 48122, http 8080 at 127.0.0.1:37121", "0.0 Ready pod/web-1: 0 ms after its start"+test.want)
		})
	}
}
