package controller

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

func TestUndo(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, deployment(2))
		w.wait(time.Second)
		w.setImage("v2")
		w.wait(time.Second)
		first := w.setOf("v1")
		w.setImage("v1")
		w.wait(time.Second)
		w.want("sizes", w.sizes(), "v1:2")
		again := w.setOf("v1")
		if again.UID != first.UID || len(list[*appsv1.ReplicaSet](w)) != 2 {
			t.Errorf("the old set was not found again")
		}
		w.want("revision", again.Annotations[annotationRevision], "3")
		w.want("its history", again.Annotations[annotationHistory], "1")
		w.want("revision of the Deployment", get[*appsv1.Deployment](w, "web").Annotations[annotationRevision], "3")
		w.want("progress", w.progressing(), "True NewReplicaSetAvailable")
	})
}

func TestRestart(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, deployment(2))
		w.wait(time.Second)
		before := list[*corev1.Pod](w)
		modify(w, "web", func(d *appsv1.Deployment) {
			d.Spec.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
		})
		w.wait(time.Second)
		after := list[*corev1.Pod](w)
		if len(after) != 2 || slices.ContainsFunc(after, func(p *corev1.Pod) bool {
			return slices.ContainsFunc(before, func(b *corev1.Pod) bool { return b.UID == p.UID })
		}) {
			t.Errorf("%d Pods, of which some are old", len(after))
		}
	})
}

func TestScaleAndPause(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, deployment(2))
		w.wait(time.Second)
		scale := func(n int32) func(*appsv1.Deployment) {
			return func(d *appsv1.Deployment) { d.Spec.Replicas = &n }
		}
		for _, n := range []int32{4, 1, 0, 3} {
			modify(w, "web", scale(n))
			w.wait(time.Second)
			if got := len(list[*corev1.Pod](w)); got != int(n) {
				t.Errorf("%d Pods, want %d", got, n)
			}
		}
		w.want("progress", w.progressing(), "True NewReplicaSetAvailable")
		modify(w, "web", func(d *appsv1.Deployment) { d.Spec.Paused = true })
		w.setImage("v2")
		w.wait(time.Hour)
		w.want("sizes in the pause", w.sizes(), "v1:3")
		w.want("progress in the pause", w.progressing(), "Unknown DeploymentPaused")
		modify(w, "web", scale(5))
		w.wait(time.Second)
		w.want("sizes when scaled in the pause", w.sizes(), "v1:5")
		modify(w, "web", func(d *appsv1.Deployment) { d.Spec.Paused = false })
		w.wait(time.Second)
		w.want("sizes after it", w.sizes(), "v2:5")
		w.want("progress after it", w.progressing(), "True NewReplicaSetAvailable")
	})
}

// A program that holds a fixed port is replaced stop-first, whether the manifest says so or the
// node found out.
func TestStopFirst(t *testing.T) {
	for name, tt := range map[string]struct {
		behaviour behaviour
		change    func(*appsv1.Deployment)
	}{
		"found at run time": {behaviour{stopsAfter: 5 * time.Second, fixed: true}, func(*appsv1.Deployment) {}},
		"annotation": {behaviour{stopsAfter: 5 * time.Second}, func(d *appsv1.Deployment) {
			d.Spec.Template.Annotations = map[string]string{manifest.AnnotationPorts: manifest.PortsFixed}
		}},
		"hostNetwork": {behaviour{stopsAfter: 5 * time.Second}, func(d *appsv1.Deployment) { d.Spec.Template.Spec.HostNetwork = true }},
		"hostPort": {behaviour{stopsAfter: 5 * time.Second}, func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 8080, HostPort: 8080}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, func(w *cluster) {
				w.behave("v1", tt.behaviour)
				w.behave("v2", tt.behaviour)
				create(w, deployment(1, tt.change))
				w.wait(time.Second)
				w.watch(func(v view) {
					if len(v.pods) > 1 {
						t.Errorf("%v at the same time", v.images())
					}
				})
				w.setImage("v2")
				w.wait(4 * time.Second)
				w.want("pods while the old one stops", w.pods(), "v1:1x")
				w.wait(2 * time.Second)
				w.want("pods", w.pods(), "v2:1")
				pod := list[*corev1.Pod](w)[0] // also if it is replaced without a rollout
				if err := store.Delete[*corev1.Pod](w.store, pod.Namespace, pod.Name, store.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
				w.wait(time.Minute)
				w.want("pods", w.pods(), "v2:1")
			})
		})
	}
}

// The old ReplicaSet may be gone while its Pod still stops: with no history it is deleted early.
func TestStopFirstWithoutHistory(t *testing.T) {
	inCluster(t, func(w *cluster) {
		w.behave("v1", behaviour{stopsAfter: 10 * time.Second, fixed: true})
		create(w, deployment(1, recreate, func(d *appsv1.Deployment) { d.Spec.RevisionHistoryLimit = new(int32(0)) }))
		w.wait(time.Second)
		w.watch(w.noTwoVersions)
		w.setImage("v2")
		w.wait(5 * time.Second)
		if err := store.Delete[*appsv1.ReplicaSet](w.store, "default", w.setOf("v1").Name, store.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		w.wait(time.Second)
		w.want("pods while the old one stops", w.pods(), "v1:1x")
		w.wait(10 * time.Second)
		w.want("pods", w.pods(), "v2:1")
	})
}

func TestDeletion(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, deployment(2))
		w.wait(time.Second)
		if err := store.Delete[*appsv1.Deployment](w.store, "default", "web", store.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		w.wait(time.Second)
		if w.pods() != "" || len(list[*appsv1.ReplicaSet](w)) != 0 {
			t.Errorf("left: %s, %s", w.pods(), w.sizes())
		}
	})
}

func TestOrphan(t *testing.T) { // what was let go is found again by its labels
	inCluster(t, func(w *cluster) {
		create(w, deployment(2))
		w.wait(time.Second)
		before := list[*corev1.Pod](w)
		if err := store.Delete[*appsv1.Deployment](w.store, "default", "web", store.DeleteOptions{Propagation: metav1.DeletePropagationOrphan}); err != nil {
			t.Fatal(err)
		}
		w.wait(time.Second)
		create(w, deployment(2))
		w.wait(time.Second)
		if diff := cmp.Diff(before, list[*corev1.Pod](w)); diff != "" {
			t.Errorf("the Pods changed:\n%s", diff)
		}
	})
}

func TestCollision(t *testing.T) {
	inCluster(t, func(w *cluster) {
		d := deployment(1)
		manifest.Default(d)
		hash, err := templateHash(&d.Spec.Template, nil)
		if err != nil {
			t.Fatal(err)
		}
		other := template()
		other.Labels = map[string]string{"app": "other"}
		create(w, &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "web-" + hash}, Spec: appsv1.ReplicaSetSpec{
			Replicas: new(int32(0)), Selector: &metav1.LabelSelector{MatchLabels: other.Labels}, Template: other,
		}})
		create(w, d)
		w.wait(time.Second)
		w.want("pods", w.pods(), "v1:1")
		if n := get[*appsv1.Deployment](w, "web").Status.CollisionCount; n == nil || *n != 1 {
			t.Errorf("collisionCount %v, want 1", n)
		}
	})
}

func TestRefusedPods(t *testing.T) {
	inCluster(t, func(w *cluster) {
		w.refuse(errors.New("no room"))
		create(w, deployment(1))
		w.wait(time.Second)
		conditions := get[*appsv1.Deployment](w, "web").Status.Conditions
		if i := slices.IndexFunc(conditions, func(c appsv1.DeploymentCondition) bool { return c.Type == appsv1.DeploymentReplicaFailure }); i < 0 || conditions[i].Reason != "FailedCreate" {
			t.Errorf("conditions %+v, want ReplicaFailure", conditions)
		}
		if events := w.events("FailedCreate"); len(events) == 0 || events[0] != "Error creating: no room" {
			t.Errorf("events %v", events)
		}
		w.wait(time.Minute)
		if n := len(w.events("FailedCreate")); n > 12 {
			t.Errorf("%d tries in a minute", n)
		}
		w.refuse(nil)
		w.wait(2 * time.Minute)
		w.want("pods", w.pods(), "v1:1")
		w.want("progress", w.progressing(), "True NewReplicaSetAvailable")
	})
}
