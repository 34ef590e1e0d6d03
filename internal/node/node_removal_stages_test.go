package node

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// A Pod that is removed at once is killed at any stage of its life, and a new one of its name
// starts alone.
func TestRemovalAtEveryStage(t *testing.T) {
	hooks := func(l corev1.Lifecycle) func(*corev1.Pod) { return withLifecycle(l) }
	for name, test := range map[string]struct {
		server behaviour
		change func(*corev1.Pod)
		before func(n *testNode)
	}{
		"during postStart": {behaviour{stubborn: true}, hooks(corev1.Lifecycle{PostStart: execAction("hook")}), func(*testNode) {}},
		"during preStop":   {behaviour{stubborn: true}, hooks(corev1.Lifecycle{PreStop: execAction("hook")}), func(n *testNode) { n.delete(30) }},
		"during the grace": {behaviour{stubborn: true}, func(*corev1.Pod) {}, func(n *testNode) { n.delete(30) }},
		"in back-off":      {behaviour{life: time.Millisecond, code: 1}, func(*corev1.Pod) {}, func(*testNode) {}},
		"while requests drain": {behaviour{stubborn: true}, annotated(manifest.AnnotationDrain, "20s"), func(n *testNode) {
			n.delete(30)
		}},
		"with an init container": {behaviour{stubborn: true}, func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "example", Command: []string{"hook"}}}
		}, func(*testNode) {}},
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.starter.program("server", test.server)
				n.starter.program("hook", behaviour{stubborn: true})
				n.create(examplePodOf(test.change))
				n.at(2 * time.Second)
				test.before(n)
				n.at(3 * time.Second)
				n.delete(0)
				n.starter.program("server", behaviour{listens: "PORT"})
				second := n.create(examplePodOf())
				n.at(4 * time.Second)
				if alive := n.starter.alive(); len(alive) != 1 || alive[0] != "server" {
					t.Errorf("alive: %v, want one server", alive)
				}
				if pod := n.pod(); pod == nil || pod.UID != second.UID || pod.Status.Phase != corev1.PodRunning {
					t.Errorf("the Pod is %+v, want the second, running", pod)
				}
			})
		})
	}
}

// What the collection of an owner takes with it is killed too.
func TestRemovalByTheOwner(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", stubborn: true})
		owner, err := store.Create(n.store, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner", Namespace: "default"}})
		if err != nil {
			t.Fatal(err)
		}
		n.create(examplePodOf(func(p *corev1.Pod) {
			p.Spec.TerminationGracePeriodSeconds = new(int64(0))
			p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: owner.UID, Controller: new(true)}}
		}))
		n.at(time.Second)
		if err := store.Delete[*corev1.ConfigMap](n.store, "default", "owner", store.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		n.at(5 * time.Second)
		if alive := n.starter.alive(); len(alive) > 0 || n.pod() != nil {
			t.Errorf("alive: %v, the Pod is %v, want neither", alive, n.pod())
		}
	})
}
