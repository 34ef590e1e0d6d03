package node

import (
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
)

func TestRemovedPodIsKilled(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", stubborn: true})
		n.create(examplePodOf(withReadiness("/ready")))
		n.at(time.Second)
		n.delete(0)
		if pod := n.pod(); pod != nil {
			t.Fatalf("a deletion with grace 0 left the object: %+v", pod)
		}
		n.at(2 * time.Second)
		n.check([]string{"0s start server", "1s withdraw", "1s kill server", "1s exit server 137", "1s withdraw", "1s withdraw", "1s gone: was killed by SIGKILL"},
			"start", "withdraw", "admit", "signal", "kill", "exit", "gone:")
		if reports, _ := store.List[*ProbeReport](n.store, store.Selector{}); len(reports) > 0 {
			t.Errorf("the Pod left a report: %+v", reports[0])
		}
	})
}

func TestRemovalCutsATerminationShort(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", stubborn: true})
		n.create(examplePodOf())
		n.delete(30)
		n.at(2 * time.Second)
		n.delete(0)
		n.at(3 * time.Second)
		n.check([]string{"0s start server", "0s signal server SIGTERM", "2s kill server", "2s exit server 137"}, "start", "signal", "kill", "exit")
	})
}

func TestNewPodWaitsForTheTreeOfTheRemovedOne(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "8080", killTakes: 3 * time.Second}, behaviour{listens: "8080"})
		pod := examplePodOf(func(p *corev1.Pod) { p.Spec.HostNetwork = true })
		first := n.create(pod)
		n.at(time.Second)
		n.delete(0)
		second := n.create(pod)
		n.at(2 * time.Second)
		n.check([]string{"0s start server", "1s kill server"}, "start", "kill", "exit")
		n.at(10 * time.Second)
		n.check([]string{"0s start server", "1s kill server", "4s exit server 137", "4s start server"}, "start", "kill", "exit")
		if got := n.pod(); got.UID != second.UID || got.UID == first.UID || got.Status.Phase != corev1.PodRunning {
			t.Errorf("the Pod in the store is %s %+v, want %s, Running", got.UID, got.Status, second.UID)
		}
		if got, want := n.containerPID(), n.starter.runs("server")[1].pid; got != want {
			t.Errorf("pid annotation = %d, want %d", got, want)
		}
	})
}

func TestWaitingPodsEndBeforeTheyStart(t *testing.T) {
	for name, end := range map[string]func(n *testNode){
		"removed":               func(n *testNode) { n.delete(0) },
		"deleted":               func(n *testNode) { n.delete(30) },
		"aborted":               func(n *testNode) { n.node.Abort() },
		"the node ends":         func(n *testNode) { n.stop() },
		"replaced by a removal": func(n *testNode) { n.delete(0); n.create(examplePodOf()); n.delete(0) },
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.starter.program("server", behaviour{listens: "PORT", killTakes: 3 * time.Second})
				n.create(examplePodOf())
				n.delete(0)
				n.create(examplePodOf())
				n.at(time.Second)
				end(n)
				n.at(10 * time.Second)
				n.check([]string{"0s start server", "0s kill server", "3s exit server 137"}, "start", "kill", "exit")
				if pod := n.pod(); pod != nil {
					t.Errorf("the Pod is still there: %+v", pod)
				}
			})
		})
	}
}

func TestPodOfAnotherNameDoesNotWait(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", killTakes: 3 * time.Second})
		n.starter.program("other", behaviour{})
		n.create(examplePodOf())
		n.delete(0)
		for _, meta := range []metav1.ObjectMeta{{Name: "other", Namespace: "default"}, {Name: "web", Namespace: "elsewhere"}} {
			n.create(examplePodOf(func(p *corev1.Pod) { p.ObjectMeta, p.Spec.Containers[0].Command = meta, []string{"other"} }))
		}
		n.check([]string{"0s start server", "0s start other", "0s start other"}, "start")
	})
}

// A watch that falls behind misses changes, removals too.
func TestRemovalThatTheWatchMissed(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", stubborn: true})
		kept := n.create(examplePodOf(func(p *corev1.Pod) { p.Name, p.Spec.Containers[0].Command = "kept", []string{"kept"} }))
		n.create(examplePodOf())
		n.at(time.Second)
		n.node.mu.Lock() // holds up the node, not the store
		for i := range 200 {
			if _, err := store.Modify(n.store, "default", "kept", func(p *corev1.Pod) error {
				metav1.SetMetaDataAnnotation(&p.ObjectMeta, "step", string(rune('a'+i%26)))
				return nil
			}); err != nil {
				t.Error(err)
			}
			if i == 100 {
				n.deleteOnly(0)
			}
		}
		n.node.mu.Unlock()
		synctest.Wait()
		n.at(2 * time.Second)
		n.check([]string{"1s kill server"}, "kill", "signal")
		if alive := n.starter.alive(); len(alive) != 1 || alive[0] != "kept" {
			t.Errorf("alive: %v, want the Pod %s", alive, kept.Name)
		}
	})
}
