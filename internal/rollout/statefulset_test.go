package rollout_test

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/rollout"
)

// statefulWorld has a StatefulSet d/s whose status says that all three Pods are as they shall be.
func statefulWorld() (*world, *appsv1.StatefulSet) {
	w := newWorld(app())
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "d", Name: "s", UID: "set", Generation: 3}, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3)),
		PodManagementPolicy: appsv1.OrderedReadyPodManagement, Template: w.deployment.Spec.Template},
		Status: appsv1.StatefulSetStatus{ObservedGeneration: 3, Replicas: 3, ReadyReplicas: 3, AvailableReplicas: 3, CurrentReplicas: 3, UpdatedReplicas: 3, CurrentRevision: "v1", UpdateRevision: "v1"}}
	w.facts.Workload, w.facts.Generation = set, 3
	return w, set
}

// podOfSet adds a Pod of the StatefulSet that is ready.
func (w *world) podOfSet(name, revision string) *corev1.Pod {
	pod := w.podOf("set", name)
	pod.Labels = map[string]string{"controller-revision-hash": revision}
	w.start(pod)
	w.ready(pod, true)
	return pod
}

// TestStatefulSetIsReplaced: a StatefulSet is up when its Pods are, whatever its status counts.
func TestStatefulSetIsReplaced(t *testing.T) {
	deleted := func(w *world, p *corev1.Pod) { p.DeletionTimestamp = new(metav1.NewTime(w.now.Add(30 * time.Second))) }
	partition := func(set *appsv1.StatefulSet, n int32) {
		set.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &n}
	}
	for name, test := range map[string]struct {
		revisions string // of s-0, s-1 and s-2; "-" has none
		change    func(w *world, set *appsv1.StatefulSet)
		up        bool
	}{
		"all":                        {"111", nil, true},
		"taken back":                 {"112", nil, false},
		"taken back, being replaced": {"112", func(w *world, _ *appsv1.StatefulSet) { deleted(w, w.facts.Pods[2]) }, false},
		"one is being deleted":       {"111", func(w *world, _ *appsv1.StatefulSet) { deleted(w, w.facts.Pods[2]) }, false},
		"one is gone":                {"11-", nil, false},
		"one is not ready":           {"111", func(w *world, _ *appsv1.StatefulSet) { w.ready(w.facts.Pods[2], false) }, false},
		"kept by a partition":        {"221", func(_ *world, set *appsv1.StatefulSet) { partition(set, 2) }, true},
		"not kept by it":             {"222", func(_ *world, set *appsv1.StatefulSet) { partition(set, 2) }, false},
		"below it, being deleted": {"211", func(w *world, set *appsv1.StatefulSet) {
			partition(set, 2)
			deleted(w, w.facts.Pods[0])
		}, true},
		"a partition above all": {"222", func(_ *world, set *appsv1.StatefulSet) { partition(set, 9) }, true},
		"a partition of ordinals that begin later": {"-22", func(w *world, set *appsv1.StatefulSet) {
			set.Spec.Replicas, set.Spec.Ordinals = new(int32(2)), &appsv1.StatefulSetOrdinals{Start: 1}
			set.Status.Replicas, set.Status.AvailableReplicas, set.Status.UpdatedReplicas = 2, 2, 2
			partition(set, 1)
		}, false},
	} {
		w, set := statefulWorld()
		for i, revision := range test.revisions {
			if revision != '-' {
				w.podOfSet("s-"+string(rune('0'+i)), "v"+string(revision))
			}
		}
		if test.change != nil {
			test.change(w, set)
		}
		if r := w.explain(); r.Up != test.up {
			t.Errorf("%s: up %v, want %v (%+v)", name, r.Up, test.up, r)
		}
	}
}

// TestStatefulSetTakenBack: the set is up once the Pod of the revision between is replaced.
func TestStatefulSetTakenBack(t *testing.T) {
	w, _ := statefulWorld()
	w.podOfSet("s-0", "v1")
	w.podOfSet("s-1", "v1")
	w.podOfSet("s-2", "v2")
	w.at(2, func() { w.facts.Pods = w.facts.Pods[:2] })
	w.at(4, func() { w.podOfSet("s-2", "v1") })
	if at, r := w.play(60); at != 4 || r.Verdict.Outcome != rollout.IsUp {
		t.Errorf("after %d s %+v, want up after 4 s", at, r.Verdict)
	}
}
