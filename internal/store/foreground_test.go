package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// blocking makes all owner references of an object block their owners' deletion.
func blocking(o Object) {
	refs := o.GetOwnerReferences()
	for i := range refs {
		refs[i].BlockOwnerDeletion = new(true)
	}
}

func deleteInForeground(t *testing.T, s *Store, o Object) (last Object, gone bool) {
	t.Helper()
	last, gone, err := s.DeleteObject(o, DeleteOptions{Propagation: metav1.DeletePropagationForeground})
	if err != nil {
		t.Fatal(err)
	}
	return last, gone
}

func finish(t *testing.T, s *Store, name string) {
	t.Helper()
	if err := Delete[*corev1.Pod](s, "default", name, DeleteOptions{Grace: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
}

// A Deployment that is deleted in the foreground is there until its Pods have ended, and what does
// not block it is not waited for.
func TestForegroundChain(t *testing.T) {
	s := newStore(t, Options{})
	deploy := create(t, s, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "d"}})
	rs := newReplicaSet("rs", deploy)
	blocking(rs)
	rs = create(t, s, rs)
	create(t, s, newPod("running", ownedBy(rs), onNode, func(p *corev1.Pod) { blocking(p) }))
	create(t, s, newPod("lax", ownedBy(rs), onNode))
	last, gone := deleteInForeground(t, s, deploy)
	if gone || last.GetDeletionTimestamp() == nil || *last.GetDeletionGracePeriodSeconds() != 0 {
		t.Fatalf("gone: %v, the Deployment %+v, want it left and marked", gone, last)
	}
	for _, o := range []Object{last, must[*appsv1.ReplicaSet](t)(Get[*appsv1.ReplicaSet](s, "default", "rs"))} {
		if diff := cmp.Diff([]string{"foregroundDeletion"}, o.GetFinalizers()); diff != "" {
			t.Errorf("finalizers of %s (-want +got):\n%s", o.GetName(), diff)
		}
	}
	for _, name := range []string{"running", "lax"} {
		if pod := must[*corev1.Pod](t)(Get[*corev1.Pod](s, "default", name)); pod.DeletionTimestamp == nil || len(pod.Finalizers) > 0 {
			t.Errorf("Pod %s = %+v, want it deleted with grace", name, pod.ObjectMeta)
		}
	}
	w := must[*Watch](t)(s.Watch(WatchOptions{From: firstList(s)}))
	finish(t, s, "running")
	want := []string{"DELETED *v1.Pod running", "DELETED *v1.ReplicaSet rs", "DELETED *v1.Deployment d"}
	if diff := cmp.Diff(want, describe(drain(t, w))); diff != "" {
		t.Errorf("when the Pod has ended (-want +got):\n%s", diff)
	}
	if !exists[*corev1.Pod](s, "lax") {
		t.Error("the Pod that blocks nothing was removed before it ended")
	}
}

func TestForeground(t *testing.T) {
	tests := map[string]struct {
		pods []func(*corev1.Pod)
		then func(*testing.T, *Store)
		want bool // that the owner is gone
	}{
		"owns nothing":      {want: true},
		"owns what is over": {pods: []func(*corev1.Pod){func(p *corev1.Pod) { blocking(p) }}, want: true},
		"owns what runs":    {pods: []func(*corev1.Pod){onNode, func(p *corev1.Pod) { blocking(p) }}},
		"what runs does not block": {
			pods: []func(*corev1.Pod){onNode}, want: true,
		},
		"what runs stops blocking": {
			pods: []func(*corev1.Pod){onNode, func(p *corev1.Pod) { blocking(p) }}, want: true,
			then: func(t *testing.T, s *Store) {
				must[*corev1.Pod](t)(Modify(s, "default", "web", func(p *corev1.Pod) error { p.OwnerReferences[0].BlockOwnerDeletion = nil; return nil }))
			},
		},
		"the finalizer is taken away": {
			pods: []func(*corev1.Pod){onNode, func(p *corev1.Pod) { blocking(p) }}, want: true,
			then: func(t *testing.T, s *Store) {
				must[*appsv1.ReplicaSet](t)(Modify(s, "default", "rs", func(r *appsv1.ReplicaSet) error { r.Finalizers = nil; return nil }))
			},
		},
		"deleted in the background then": {
			pods: []func(*corev1.Pod){onNode, func(p *corev1.Pod) { blocking(p) }}, want: true,
			then: func(t *testing.T, s *Store) {
				if err := Delete[*appsv1.ReplicaSet](s, "default", "rs", DeleteOptions{Propagation: metav1.DeletePropagationBackground}); err != nil {
					t.Fatal(err)
				}
			},
		},
		"deleted once more without a word": {
			pods: []func(*corev1.Pod){onNode, func(p *corev1.Pod) { blocking(p) }},
			then: func(t *testing.T, s *Store) {
				if err := Delete[*appsv1.ReplicaSet](s, "default", "rs", DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
			},
		},
		"another finalizer": {
			pods: []func(*corev1.Pod){func(p *corev1.Pod) { p.Finalizers = []string{"a.b/c"} }, func(p *corev1.Pod) { blocking(p) }},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, Options{})
			rs := create(t, s, newReplicaSet("rs"))
			if tt.pods != nil {
				create(t, s, newPod("web", append([]func(*corev1.Pod){ownedBy(rs)}, tt.pods...)...))
			}
			_, gone := deleteInForeground(t, s, rs)
			if tt.then != nil {
				tt.then(t, s)
				gone = !exists[*appsv1.ReplicaSet](s, "rs")
			}
			if gone != tt.want {
				t.Errorf("gone: %v, want %v", gone, tt.want)
			}
		})
	}
}

// A Pod with an owner that stays is only let go by the one that is deleted.
func TestForegroundWithAnotherOwner(t *testing.T) {
	s := newStore(t, Options{})
	one, two := create(t, s, newReplicaSet("one")), create(t, s, newReplicaSet("two"))
	create(t, s, newPod("web", ownedBy(one, two), onNode, func(p *corev1.Pod) { blocking(p) }))
	if _, gone := deleteInForeground(t, s, one); !gone {
		t.Error("the owner is still there")
	}
	if pod := must[*corev1.Pod](t)(Get[*corev1.Pod](s, "default", "web")); len(pod.OwnerReferences) != 1 || pod.OwnerReferences[0].UID != two.UID || pod.DeletionTimestamp != nil {
		t.Errorf("Pod = %+v, want it left to the other owner", pod.ObjectMeta)
	}
}

// Two that own each other do not wait for each other for ever.
func TestForegroundCircle(t *testing.T) {
	s := newStore(t, Options{})
	one := create(t, s, newReplicaSet("one"))
	two := newReplicaSet("two", one)
	blocking(two)
	two = create(t, s, two)
	must[*appsv1.ReplicaSet](t)(Modify(s, "default", "one", func(r *appsv1.ReplicaSet) error {
		r.OwnerReferences = refsTo(two)
		blocking(r)
		return nil
	}))
	deleteInForeground(t, s, one)
	if exists[*appsv1.ReplicaSet](s, "one") || exists[*appsv1.ReplicaSet](s, "two") {
		t.Error("they wait for each other")
	}
}

// What is made for an owner that is on its way out goes at once.
func TestForegroundLatecomer(t *testing.T) {
	s := newStore(t, Options{})
	rs := create(t, s, newReplicaSet("rs"))
	create(t, s, newPod("web", ownedBy(rs), onNode, func(p *corev1.Pod) { blocking(p) }))
	deleteInForeground(t, s, rs)
	if create(t, s, newPod("late", ownedBy(rs))); exists[*corev1.Pod](s, "late") {
		t.Error("a Pod whose owner is being deleted stays")
	}
}

// An owner that waits for its dependants goes at once when they are orphaned.
func TestForegroundThenOrphan(t *testing.T) {
	s := newStore(t, Options{})
	rs := create(t, s, &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "rs"}})
	create(t, s, newPod("web", ownedBy(rs), onNode, func(p *corev1.Pod) { blocking(p) }))
	if _, gone := deleteInForeground(t, s, rs); gone {
		t.Fatal("the ReplicaSet is gone before its Pod")
	}
	_, gone, err := s.DeleteObject(rs, DeleteOptions{Propagation: metav1.DeletePropagationOrphan})
	if err != nil || !gone {
		t.Errorf("gone: %v, %v, want it gone", gone, err)
	}
	if pod := must[*corev1.Pod](t)(Get[*corev1.Pod](s, "default", "web")); len(pod.OwnerReferences) > 0 {
		t.Errorf("the Pod is still owned: %+v", pod.OwnerReferences)
	}
}
