package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func newNamespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}}}
}

func in(namespace string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Namespace = namespace }
}

// A Namespace goes when all that is in it has gone, and Events do not keep it.
func TestDeleteNamespace(t *testing.T) {
	s := newStore(t, Options{})
	create(t, s, newNamespace("a"))
	rs := create(t, s, &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "rs"}})
	create(t, s, newPod("running", in("a"), onNode, ownedBy(rs)))
	kept := create(t, s, newPod("kept", in("a"), func(p *corev1.Pod) { p.Finalizers = []string{"a.b/c"} }))
	create(t, s, newPod("elsewhere"))
	noise := s.Record(occurrence(kept, "Noise"))
	w := must[*Watch](t)(s.Watch(WatchOptions{From: firstList(s)}))
	last, gone, err := s.DeleteObject(newNamespace("a"), DeleteOptions{})
	if err != nil || gone || last.(*corev1.Namespace).Status.Phase != corev1.NamespaceTerminating {
		t.Fatalf("DeleteObject = %+v, %v, %v, want it Terminating", last, gone, err)
	}
	want := []string{"MODIFIED *v1.Namespace a", "DELETED *v1.ReplicaSet rs", "MODIFIED *v1.Pod running", "MODIFIED *v1.Pod kept", "DELETED *v1.Event " + noise.Name}
	if diff := cmp.Diff(want, describe(drain(t, w))); diff != "" {
		t.Errorf("at the deletion (-want +got):\n%s", diff)
	}
	const text = `pods "late" is forbidden: unable to create new content in namespace a because it is being terminated`
	if _, err := Create(s, newPod("late", in("a")), DryRun); !apierrors.IsForbidden(err) || err.Error() != text || !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		t.Errorf("Create in it: %v, want %s", err, text)
	}
	event := s.Record(occurrence(kept, "Killing"))
	must[*corev1.Pod](t)(Modify(s, "a", "kept", func(p *corev1.Pod) error { p.Finalizers = nil; return nil }))
	if err := Delete[*corev1.Pod](s, "a", "running", DeleteOptions{Grace: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
	changes := describe(drain(t, w))
	if last := changes[len(changes)-1]; last != "DELETED *v1.Namespace a" {
		t.Errorf("when it is empty: %v, want the Namespace removed last", changes)
	}
	if _, err := Get[*corev1.Event](s, "a", event.Name); !apierrors.IsNotFound(err) || !exists[*corev1.Pod](s, "elsewhere") {
		t.Errorf("the Event in it: %v; and the Pod of another one has to stay", err)
	}
}

func TestDeleteEmptyNamespace(t *testing.T) {
	s := newStore(t, Options{})
	for name, tt := range map[string]struct {
		change func(*corev1.Namespace)
		opts   DeleteOptions
		want   bool
	}{
		"empty":              {func(*corev1.Namespace) {}, DeleteOptions{}, true},
		"grace 0":            {func(*corev1.Namespace) {}, DeleteOptions{Grace: new(int64(0))}, true},
		"in the foreground":  {func(*corev1.Namespace) {}, DeleteOptions{Propagation: metav1.DeletePropagationForeground}, true},
		"no finalizer":       {func(n *corev1.Namespace) { n.Spec.Finalizers = nil }, DeleteOptions{}, true},
		"another finalizer":  {func(n *corev1.Namespace) { n.Finalizers = []string{"a.b/c"} }, DeleteOptions{}, false},
		"another one inside": {func(n *corev1.Namespace) { n.Spec.Finalizers = append(n.Spec.Finalizers, "a.b/c") }, DeleteOptions{}, false},
	} {
		n := newNamespace("b")
		tt.change(n)
		create(t, s, n)
		if _, gone, err := s.DeleteObject(n, tt.opts); gone != tt.want || err != nil {
			t.Errorf("%s: gone: %v, %v, want %v", name, gone, err, tt.want)
		}
		if _, err := s.ModifyObject(n, func(o Object) error {
			o.SetFinalizers(nil)
			o.(*corev1.Namespace).Spec.Finalizers = nil
			return nil
		}); err != nil && !tt.want {
			t.Error(err)
		}
	}
}

// What is to be in a Namespace needs one that is there and stays.
func TestCheckNamespace(t *testing.T) {
	s := newStore(t, Options{})
	create(t, s, newNamespace("there"))
	create(t, s, newNamespace("going"))
	create(t, s, newPod("web", in("going"), onNode))
	if _, _, err := s.DeleteObject(newNamespace("going"), DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	const terminating = "unable to create new content in namespace going because it is being terminated"
	for name, tt := range map[string]struct {
		object Object
		want   string
		cause  metav1.CauseType
	}{
		"there":             {newPod("web", in("there")), "", ""},
		"in none":           {newNamespace("more"), "", ""},
		"not there":         {newPod("web", in("x")), `namespaces "x" not found`, ""},
		"going":             {newPod("late", in("going")), `pods "late" is forbidden: ` + terminating, corev1.NamespaceTerminatingCause},
		"going, the same":   {newPod("web", in("going")), `pods "web" is forbidden: ` + terminating, corev1.NamespaceTerminatingCause},
		"going, of a group": {&appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "going", Name: "rs"}}, `replicasets.apps "rs" is forbidden: ` + terminating, corev1.NamespaceTerminatingCause},
		"going, generated": {
			newPod("", in("going"), func(p *corev1.Pod) { p.GenerateName = "web-" }), `pods "web-" is forbidden: ` + terminating, corev1.NamespaceTerminatingCause,
		},
	} {
		check := func(what string, err error) {
			t.Helper()
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tt.want || (tt.cause != "") != apierrors.HasStatusCause(err, tt.cause) {
				t.Errorf("%s, %s: %q, want %q", name, what, got, tt.want)
			}
		}
		check("checked", s.CheckNamespace(tt.object))
		if tt.object.GetName() != "" {
			_, err := Create(s, tt.object, InNamespace, DryRun)
			check("created", err)
		}
	}
	if _, err := Create(s, newPod("web", in("x")), DryRun); err != nil {
		t.Errorf("without InNamespace: %v", err)
	}
}
