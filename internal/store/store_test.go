package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// start is when the clock of the tests stands still, with a fraction that objects must not show.
var start = time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC)

// newStore makes a store whose clock stands still unless the options say otherwise.
func newStore(t testing.TB, opts Options) *Store {
	t.Helper()
	if opts.Kinds == nil {
		opts.Kinds = Kubernetes()
	}
	if opts.Now == nil {
		opts.Now = func() time.Time { return start }
	}
	opts.DetectMutations = true
	s := New(opts)
	t.Cleanup(func() {
		if err := s.CheckMutations(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newPod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	for _, c := range change {
		c(pod)
	}
	return pod
}

func must[T any](t testing.TB) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func create[T Object](t testing.TB, s *Store, obj T) T {
	t.Helper()
	return must[T](t)(Create(s, obj))
}

func ownedBy(owners ...Object) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.OwnerReferences = refsTo(owners...) }
}

func refsTo(owners ...Object) []metav1.OwnerReference {
	var refs []metav1.OwnerReference
	for _, o := range owners {
		gvk := o.GetObjectKind().GroupVersionKind()
		refs = append(refs, metav1.OwnerReference{APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind, Name: o.GetName(), UID: o.GetUID()})
	}
	return refs
}

func exists[T Object](s *Store, name string) bool {
	_, err := Get[T](s, "default", name)
	return !apierrors.IsNotFound(err)
}

func TestCreate(t *testing.T) {
	s := newStore(t, Options{})
	given := newPod("web", func(p *corev1.Pod) {
		p.UID, p.Generation = "mine", 7
		p.DeletionTimestamp, p.DeletionGracePeriodSeconds = new(metav1.Now()), new(int64(3))
	})
	pod := create(t, s, given)
	if pod.UID == "" || pod.UID == "mine" {
		t.Errorf("UID = %q, want one of the store's", pod.UID)
	}
	pod = pod.DeepCopy()
	pod.UID = ""
	want := newPod("web", func(p *corev1.Pod) {
		p.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
		p.ResourceVersion, p.Generation = pod.ResourceVersion, 1
		p.CreationTimestamp = metav1.NewTime(start.Truncate(time.Second))
	})
	if diff := cmp.Diff(want, pod); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	if given.ResourceVersion != "" || given.UID != "mine" {
		t.Error("Create changed the object that it was given")
	}
}

func TestGenerateName(t *testing.T) {
	s := newStore(t, Options{})
	tests := map[string]struct{ base, keep string }{
		"short": {base: "web-", keep: "web-"},
		"long":  {base: strings.Repeat("a", 70), keep: strings.Repeat("a", 58)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			for range 20 {
				pod := create(t, s, newPod("", func(p *corev1.Pod) { p.GenerateName = tt.base }))
				suffix, ok := strings.CutPrefix(pod.Name, tt.keep)
				if !ok || len(suffix) != 5 || seen[pod.Name] {
					t.Fatalf("name = %q, want %q and 5 letters, never twice", pod.Name, tt.keep)
				}
				seen[pod.Name] = true
			}
		})
	}
}

func TestErrors(t *testing.T) {
	s := newStore(t, Options{})
	web := create(t, s, newPod("web"))
	stale := web.DeepCopy()
	must[*corev1.Pod](t)(Modify(s, "default", "web", func(p *corev1.Pod) error { p.Labels = map[string]string{"a": "b"}; return nil }))
	stranger := newPod("web", func(p *corev1.Pod) { p.UID = "other" })
	otherUID := fmt.Sprintf(`Operation cannot be fulfilled on pods "web": the UID in the precondition (other) does not match the UID in record (%s). `+
		`The object might have been deleted and then recreated`, web.UID)
	tests := map[string]struct {
		do     func() error
		reason metav1.StatusReason
		text   string
	}{
		"create twice": {
			do:     func() error { _, err := Create(s, newPod("web")); return err },
			reason: metav1.StatusReasonAlreadyExists, text: `pods "web" already exists`,
		},
		"create without a name": {
			do:     func() error { _, err := Create(s, newPod("")); return err },
			reason: metav1.StatusReasonInvalid, text: `Pod "" is invalid: metadata.name: Required value: name or generateName is required`,
		},
		"get": {
			do:     func() error { _, err := Get[*appsv1.Deployment](s, "default", "db"); return err },
			reason: metav1.StatusReasonNotFound, text: `deployments.apps "db" not found`,
		},
		"update of nothing": {
			do:     func() error { _, err := Update(s, newPod("db")); return err },
			reason: metav1.StatusReasonNotFound, text: `pods "db" not found`,
		},
		"update of an old version": {
			do:     func() error { _, err := Update(s, stale); return err },
			reason: metav1.StatusReasonConflict,
			text:   `Operation cannot be fulfilled on pods "web": the object has been modified; please apply your changes to the latest version and try again`,
		},
		"update of another object of the name": {
			do:     func() error { _, err := Update(s, stranger); return err },
			reason: metav1.StatusReasonConflict, text: otherUID,
		},
		"delete of nothing": {
			do:     func() error { return Delete[*corev1.Pod](s, "default", "db", DeleteOptions{}) },
			reason: metav1.StatusReasonNotFound, text: `pods "db" not found`,
		},
		"delete of another UID": {
			do:     func() error { return Delete[*corev1.Pod](s, "default", "web", DeleteOptions{UID: "other"}) },
			reason: metav1.StatusReasonConflict, text: strings.Replace(otherUID, "pods", "Pod", 1),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.do()
			if got := apierrors.ReasonForError(err); got != tt.reason {
				t.Errorf("reason = %q, want %q (%v)", got, tt.reason, err)
			}
			if err == nil || err.Error() != tt.text {
				t.Errorf("error = %v\nwant    %s", err, tt.text)
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	tests := map[string]struct {
		change     func(*corev1.Pod)
		generation int64
		moves      bool
	}{
		"nothing":               {change: func(*corev1.Pod) {}, generation: 1},
		"an empty map for none": {change: func(p *corev1.Pod) { p.Labels = map[string]string{} }, generation: 1},
		"what the store decides": {change: func(p *corev1.Pod) {
			p.Generation, p.CreationTimestamp, p.TypeMeta = 9, metav1.Now(), metav1.TypeMeta{}
		}, generation: 1},
		"the deletion time": {change: func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }, generation: 1},
		"labels":            {change: func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} }, generation: 1, moves: true},
		"status":            {change: func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning }, generation: 1, moves: true},
		"spec":              {change: func(p *corev1.Pod) { p.Spec.NodeName = "n" }, generation: 2, moves: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, Options{})
			before := create(t, s, newPod("web"))
			w := must[*Watch](t)(s.Watch(WatchOptions{From: before.ResourceVersion}))
			next := before.DeepCopy()
			tt.change(next)
			after := must[*corev1.Pod](t)(Update(s, next))
			if after.Generation != tt.generation || after.UID != before.UID || !after.CreationTimestamp.Equal(&before.CreationTimestamp) || after.DeletionTimestamp != nil {
				t.Errorf("metadata = %+v, want generation %d and the rest as before", after.ObjectMeta, tt.generation)
			}
			if moved := after.ResourceVersion != before.ResourceVersion; moved != tt.moves {
				t.Errorf("resource version moved: %v, want %v", moved, tt.moves)
			}
			if changes := drain(t, w); (len(changes) == 1) != tt.moves {
				t.Errorf("watch saw %d changes, want one: %v", len(changes), tt.moves)
			}
		})
	}
}

func TestUpdateByInterface(t *testing.T) {
	s := newStore(t, Options{})
	var pod Object = create(t, s, newPod("web")).DeepCopy()
	pod.SetLabels(map[string]string{"a": "b"})
	if got := must[Object](t)(Update(s, pod)); got.GetLabels()["a"] != "b" {
		t.Errorf("labels = %v, want a=b", got.GetLabels())
	}
}

func TestModify(t *testing.T) {
	s := newStore(t, Options{})
	before := create(t, s, newPod("web"))
	errRefused := errors.New("refused")
	_, err := Modify(s, "default", "web", func(p *corev1.Pod) error { p.Labels = map[string]string{"a": "b"}; return errRefused })
	if !errors.Is(err, errRefused) {
		t.Errorf("error = %v, want %v", err, errRefused)
	}
	if got := must[*corev1.Pod](t)(Get[*corev1.Pod](s, "default", "web")); got != before {
		t.Errorf("a refused change was written: %v", got)
	}
	after := must[*corev1.Pod](t)(Modify(s, "default", "web", func(p *corev1.Pod) error { p.Name, p.UID, p.Spec.NodeName = "x", "y", "n"; return nil }))
	if after.Name != "web" || after.UID != before.UID || after.Spec.NodeName != "n" {
		t.Errorf("modified = %s %s on %q, want web %s on n", after.Name, after.UID, after.Spec.NodeName, before.UID)
	}
	if before.Spec.NodeName != "" {
		t.Error("Modify changed a snapshot")
	}
}

func TestNamespacesAreApart(t *testing.T) {
	s := newStore(t, Options{})
	create(t, s, newPod("web"))
	if pod, err := Get[*corev1.Pod](s, "kube-system", "web"); !apierrors.IsNotFound(err) {
		t.Errorf("Pod = %v, error = %v, want NotFound", pod, err)
	}
}

func TestListIsSorted(t *testing.T) {
	s := newStore(t, Options{})
	for _, key := range [][2]string{{"b", "a"}, {"a", "z"}, {"a", "b"}} {
		create(t, s, newPod(key[1], func(p *corev1.Pod) { p.Namespace = key[0] }))
	}
	last := create(t, s, newPod("c", func(p *corev1.Pod) { p.Namespace = "a" }))
	pods, version := List[*corev1.Pod](s, Selector{})
	var got []string
	for _, p := range pods {
		got = append(got, p.Namespace+"/"+p.Name)
	}
	if diff := cmp.Diff([]string{"a/b", "a/c", "a/z", "b/a"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if version != last.ResourceVersion {
		t.Errorf("version = %s, want that of the last write, %s", version, last.ResourceVersion)
	}
}

func TestUnregisteredKindPanics(t *testing.T) {
	tests := map[string]func(*Store){
		"create": func(s *Store) { _, _ = Create(s, &corev1.ServiceAccount{}) },
		"get":    func(s *Store) { _, _ = Get[*corev1.ServiceAccount](s, "default", "s") },
		"list":   func(s *Store) { List[*corev1.ServiceAccount](s, Selector{}) },
		"watch":  func(s *Store) { _, _ = s.Watch(WatchOptions{Kinds: []Object{&corev1.ServiceAccount{}}}) },
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic: a kind that is not registered went unnoticed")
				}
			}()
			do(newStore(t, Options{}))
		})
	}
}

// The status is a subresource: the rest of the object stays as it is.
func TestUpdateStatus(t *testing.T) {
	s := newStore(t, Options{})
	before := create(t, s, newPod("web"))
	given := before.DeepCopy()
	given.Labels, given.Spec.NodeName, given.Status.Phase = map[string]string{"a": "b"}, "n", corev1.PodRunning
	after := must[*corev1.Pod](t)(UpdateStatus(s, given))
	want := before.DeepCopy()
	want.Status.Phase, want.ResourceVersion = corev1.PodRunning, after.ResourceVersion
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	if _, err := UpdateStatus(s, given); !apierrors.IsConflict(err) {
		t.Errorf("a second update of the old version: %v, want a conflict", err)
	}
	given.ResourceVersion = ""
	if again := must[*corev1.Pod](t)(UpdateStatus(s, given)); again != after {
		t.Errorf("the same status moved the version from %s to %s", after.ResourceVersion, again.ResourceVersion)
	}
}

func TestMutationsAreDetected(t *testing.T) {
	s := New(Options{Kinds: Kubernetes(), DetectMutations: true})
	pod := create(t, s, newPod("web"))
	if err := s.CheckMutations(); err != nil {
		t.Fatal(err)
	}
	pod.Labels = map[string]string{"a": "b"}
	want := "Pod default/web of resource version " + pod.ResourceVersion + " was modified by a reader: call DeepCopy first"
	if err := s.CheckMutations(); err == nil || err.Error() != want {
		t.Errorf("error = %v\nwant    %s", err, want)
	}
}
