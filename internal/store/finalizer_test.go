package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The finalizers of the garbage collector say what a deletion without a propagation of its own
// does, and one with it overrides them.
func TestFinalizersOfTheGarbageCollector(t *testing.T) {
	const (
		orphan, foreground = metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents
		owned, free, gone  = "owned", "free", "gone"
	)
	for name, tt := range map[string]struct {
		finalizers  []string
		propagation metav1.DeletionPropagation
		dryRun      bool
		want        []string // finalizers of the owner after it; nil if that is gone
		pod         string   // what becomes of what runs and is owned
	}{
		"none":                              {want: nil, pod: gone},
		"orphan":                            {finalizers: []string{orphan}, pod: free},
		"orphan, as asked":                  {finalizers: []string{orphan}, propagation: metav1.DeletePropagationOrphan, pod: free},
		"orphan, but in the background":     {finalizers: []string{orphan}, propagation: metav1.DeletePropagationBackground, pod: gone},
		"orphan, but in the foreground":     {finalizers: []string{orphan}, propagation: metav1.DeletePropagationForeground, want: []string{foreground}, pod: gone},
		"orphan and another one":            {finalizers: []string{"a.b/c", orphan}, want: []string{"a.b/c"}, pod: free},
		"another one":                       {finalizers: []string{"a.b/c"}, want: []string{"a.b/c"}, pod: owned},
		"another one, orphan asked":         {finalizers: []string{"a.b/c"}, propagation: metav1.DeletePropagationOrphan, want: []string{"a.b/c"}, pod: free},
		"foregroundDeletion":                {finalizers: []string{foreground}, want: []string{foreground}, pod: gone},
		"foregroundDeletion and another":    {finalizers: []string{foreground, "a.b/c"}, want: []string{foreground, "a.b/c"}, pod: gone},
		"foregroundDeletion, but orphan":    {finalizers: []string{foreground}, propagation: metav1.DeletePropagationOrphan, pod: free},
		"foregroundDeletion, but not asked": {finalizers: []string{foreground}, propagation: metav1.DeletePropagationBackground, pod: gone},
		"orphan, only to see":               {finalizers: []string{orphan}, dryRun: true, want: []string{orphan}, pod: owned},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, Options{})
			rs := newReplicaSet("rs")
			rs.Finalizers = tt.finalizers
			rs = create(t, s, rs)
			create(t, s, newPod("web", ownedBy(rs), onNode, func(p *corev1.Pod) { blocking(p) }))
			for range 2 { // a second time changes nothing
				if _, _, err := s.DeleteObject(rs, DeleteOptions{Propagation: tt.propagation, DryRun: tt.dryRun}); err != nil {
					t.Fatal(err)
				}
				left, err := s.GetObject(rs)
				if (err == nil) != (tt.want != nil) {
					t.Fatalf("the owner: %v, %v", left, err)
				}
				if err == nil {
					if diff := cmp.Diff(tt.want, left.GetFinalizers()); diff != "" {
						t.Errorf("finalizers (-want +got):\n%s", diff)
					}
				}
				pod := must[*corev1.Pod](t)(Get[*corev1.Pod](s, "default", "web"))
				got := map[bool]string{true: owned, false: free}[len(pod.OwnerReferences) > 0]
				if pod.DeletionTimestamp != nil {
					got = gone
				}
				if got != tt.pod {
					t.Errorf("the Pod is %s, want it %s", got, tt.pod)
				}
				if err != nil {
					break
				}
			}
		})
	}
}

// What is collected honours its own finalizer.
func TestOrphanFurtherDown(t *testing.T) {
	s := newStore(t, Options{})
	top := create(t, s, newReplicaSet("top"))
	middle := newReplicaSet("middle", top)
	middle.Finalizers = []string{metav1.FinalizerOrphanDependents}
	middle = create(t, s, middle)
	create(t, s, newPod("web", ownedBy(middle)))
	if _, _, err := s.DeleteObject(top, DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if exists[*appsv1.ReplicaSet](s, "middle") || !exists[*corev1.Pod](s, "web") {
		t.Error("want its owner gone, and the Pod left alone")
	}
}

// A Namespace takes all along in the background, whatever the objects say.
func TestNamespaceDeletesInTheBackground(t *testing.T) {
	s := newStore(t, Options{})
	create(t, s, newNamespace("default"))
	rs := newReplicaSet("rs")
	rs.Finalizers = []string{metav1.FinalizerDeleteDependents}
	rs = create(t, s, rs)
	create(t, s, newPod("web", ownedBy(rs), onNode, func(p *corev1.Pod) { blocking(p) }))
	if _, gone, err := s.DeleteObject(newNamespace("default"), DeleteOptions{}); err != nil || gone {
		t.Fatalf("gone: %v, %v, want it to wait for the Pod", gone, err)
	}
	if exists[*appsv1.ReplicaSet](s, "rs") {
		t.Error("the ReplicaSet waits for its Pod")
	}
}
