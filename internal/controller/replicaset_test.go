package controller

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// replicaSet is one without a Deployment.
func replicaSet(replicas int32) *appsv1.ReplicaSet {
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	set.Spec = appsv1.ReplicaSetSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, Template: template()}
	return set
}

func TestReplicaSet(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "orphan", Labels: map[string]string{"app": "web"}}, Spec: template().Spec})
		create(w, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "stranger", Labels: map[string]string{"app": "db"}}, Spec: template().Spec})
		set := create(w, replicaSet(3))
		w.wait(time.Second)
		if pod := get[*corev1.Pod](w, "orphan"); !metav1.IsControlledBy(pod, set) {
			t.Error("the Pod without an owner was not adopted")
		}
		if pod := get[*corev1.Pod](w, "stranger"); metav1.GetControllerOf(pod) != nil {
			t.Error("a Pod was adopted that the selector does not select")
		}
		if n := len(list[*corev1.Pod](w)); n != 4 {
			t.Errorf("%d Pods, want 3 and the stranger", n)
		}
		modify(w, "orphan", func(p *corev1.Pod) { p.Labels = map[string]string{"app": "db"} })
		w.wait(time.Second)
		if pod := get[*corev1.Pod](w, "orphan"); metav1.GetControllerOf(pod) != nil {
			t.Error("a Pod that matches no more was not let go")
		}
		want := appsv1.ReplicaSetStatus{Replicas: 3, FullyLabeledReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3, TerminatingReplicas: new(int32(0)), ObservedGeneration: 1}
		if diff := cmp.Diff(want, get[*appsv1.ReplicaSet](w, "web").Status); diff != "" {
			t.Error(diff)
		}
		modify(w, "web", func(s *appsv1.ReplicaSet) { s.Spec.Replicas = new(int32(1)) })
		w.wait(time.Second)
		if n := len(w.events("SuccessfulDelete")); n != 2 {
			t.Errorf("%d SuccessfulDelete Events, want 2", n)
		}
	})
}

func TestVictim(t *testing.T) { // P15 R218
	inCluster(t, func(w *cluster) {
		create(w, replicaSet(3))
		w.wait(time.Second)
		victim := list[*corev1.Pod](w)[1]
		w.setReady(victim, false, behaviour{})
		modify(w, "web", func(s *appsv1.ReplicaSet) { s.Spec.Replicas = new(int32(2)) })
		w.wait(time.Second)
		if _, err := store.Get[*corev1.Pod](w.store, "default", victim.Name); err == nil {
			t.Error("the Pod that is not ready is still there")
		}
	})
}

// A Pod that ends for good is replaced, at once at first and then ever later; its remains are
// bounded.
func TestFinishedPods(t *testing.T) {
	inCluster(t, func(w *cluster) {
		w.behave("example", behaviour{readyAfter: 100 * time.Millisecond, ends: true})
		create(w, replicaSet(1))
		w.wait(time.Second)
		if n := len(list[*corev1.Pod](w)); n != 2 {
			t.Errorf("%d Pods after a second, want the first and its successor", n)
		}
		w.wait(2 * time.Hour)
		made, left := len(w.events("SuccessfulCreate")), len(list[*corev1.Pod](w))
		if made < 20 || made > 80 || left > 11 {
			t.Errorf("%d Pods were made in two hours, %d are left", made, left)
		}
		w.want("replicas", fmt.Sprint(get[*appsv1.ReplicaSet](w, "web").Status.Replicas), "0")
	})
}

// Finished Pods that nobody needs any more may be gone when they are to be deleted.
func TestSupersededAreGone(t *testing.T) {
	inCluster(t, func(w *cluster) {
		create(w, deployment(1))
		w.wait(time.Second)
		set, c := w.setOf("v1"), New(Options{Store: w.store, Registry: w.registry})
		pods := list[*corev1.Pod](w)
		for i := range 12 {
			pod := pods[0].DeepCopy()
			pod.Name, pod.UID, pod.Status.Phase = fmt.Sprint("gone-", i), types.UID(fmt.Sprint(i)), corev1.PodFailed
			pods = append(pods, pod)
		}
		count, _ := workload.CountReplicas(pods, 0, time.Now())
		if _, failed := c.manageReplicas(set, pods, count, time.Now()); failed.err != nil {
			t.Errorf("%s: %v", failed.reason, failed.err)
		}
	})
}
