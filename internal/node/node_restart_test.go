package node

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// TestRestartByAnnotation: each new value restarts the containers once; that with which a Pod is
// made, another change of it, and a value that is taken away do not.
func TestRestartByAnnotation(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT"})
		set := func(value string) {
			_, err := store.Modify(n.store, "default", "web", func(pod *corev1.Pod) error {
				if delete(pod.Annotations, manifest.AnnotationRestartedAt); value != "" {
					pod.Annotations[manifest.AnnotationRestartedAt] = value
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		n.create(examplePodOf(func(p *corev1.Pod) {
			p.Annotations = map[string]string{manifest.AnnotationRestartedAt: "made"}
		}))
		for i, value := range []string{"made", "one", "one", "", "one", "two"} {
			n.at(time.Duration(i+1) * 10 * time.Second)
			set(value)
		}
		n.at(90 * time.Second)
		if starts := len(n.starter.runs("server")); starts != 3 {
			t.Errorf("%d starts, want one and two restarts", starts)
		}
	})
}
