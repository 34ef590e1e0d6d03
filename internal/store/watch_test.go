package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// drain takes the changes that a watch can report without waiting.
func drain(t testing.TB, w *Watch) []Change {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var changes []Change
	for {
		c, err := w.Next(ctx)
		if err != nil {
			if ctx.Err() == nil || apierrors.IsResourceExpired(err) {
				t.Fatal(err)
			}
			return changes
		}
		changes = append(changes, c)
	}
}

func describe(changes []Change) []string {
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprintf("%s %T %s", c.Type, c.Object, c.Object.GetName()))
	}
	return got
}

func TestWatchStart(t *testing.T) {
	s := newStore(t, Options{})
	empty := must[*Watch](t)(s.Watch(WatchOptions{From: firstList(s)}))
	create(t, s, newPod("a"))
	b := create(t, s, newPod("b"))
	must[*corev1.Pod](t)(Modify(s, "default", "a", func(p *corev1.Pod) error { p.Spec.NodeName = "n"; return nil }))
	tests := map[string]struct {
		watch *Watch
		want  []string
	}{
		"from the first list": {empty, []string{"ADDED *v1.Pod a", "ADDED *v1.Pod b", "MODIFIED *v1.Pod a", "DELETED *v1.Pod b"}},
		"from nowhere":        {must[*Watch](t)(s.Watch(WatchOptions{})), []string{"ADDED *v1.Pod b", "ADDED *v1.Pod a", "DELETED *v1.Pod b"}},
		"from 0":              {must[*Watch](t)(s.Watch(WatchOptions{From: "0"})), []string{"ADDED *v1.Pod b", "ADDED *v1.Pod a", "DELETED *v1.Pod b"}},
		"from a version":      {must[*Watch](t)(s.Watch(WatchOptions{From: b.ResourceVersion})), []string{"MODIFIED *v1.Pod a", "DELETED *v1.Pod b"}},
	}
	if err := Delete[*corev1.Pod](s, "default", "b", DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, describe(drain(t, tt.watch))); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func firstList(s *Store) string {
	_, version := List[*corev1.Pod](s, Selector{})
	return version
}

func TestWatchSeveralKindsInOneOrder(t *testing.T) {
	s := newStore(t, Options{})
	w := must[*Watch](t)(s.Watch(WatchOptions{Kinds: []Object{&corev1.Pod{}, &corev1.Event{}}}))
	pod := create(t, s, newPod("a"))
	create(t, s, &corev1.ConfigMap{ObjectMeta: newPod("c").ObjectMeta})
	event := s.Record(occurrence(pod, "Started"))
	create(t, s, newPod("b"))
	changes := drain(t, w)
	want := []string{"ADDED *v1.Pod a", "ADDED *v1.Event " + event.Name, "ADDED *v1.Pod b"}
	if diff := cmp.Diff(want, describe(changes)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(changes, func(a, b Change) int { return int(versionOf(a.Object)) - int(versionOf(b.Object)) }) {
		t.Error("the resource versions do not grow")
	}
}

// An object that no longer matches is deleted for the watch, in the state that matched; one that
// starts to match is added.
func TestWatchSelector(t *testing.T) {
	phase := func(p corev1.PodPhase) func(*corev1.Pod) { return func(pod *corev1.Pod) { pod.Status.Phase = p } }
	label := func(v string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) { pod.Labels = map[string]string{"app": v} }
	}
	tests := map[string]struct {
		selector Selector
		steps    []func(*corev1.Pod)
		want     []string
	}{
		"labels": {
			selector: Selector{Labels: labels.SelectorFromSet(labels.Set{"app": "web"})},
			steps:    []func(*corev1.Pod){label("web"), phase(corev1.PodRunning), label("db"), phase(corev1.PodFailed), label("web")},
			want:     []string{"ADDED web ", "MODIFIED web Running", "DELETED web Running", "ADDED web Failed", "DELETED web Failed"},
		},
		"fields": {
			selector: Selector{Fields: fields.OneTermEqualSelector("status.phase", "Running")},
			steps:    []func(*corev1.Pod){phase(corev1.PodRunning), label("web"), phase(corev1.PodFailed)},
			want:     []string{"ADDED  Running", "MODIFIED web Running", "DELETED web Running"},
		},
		"another namespace": {
			selector: Selector{Namespace: "other"},
			steps:    []func(*corev1.Pod){label("web")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, Options{})
			create(t, s, newPod("web"))
			w := must[*Watch](t)(s.Watch(WatchOptions{Selector: tt.selector}))
			for _, step := range tt.steps {
				must[*corev1.Pod](t)(Modify(s, "default", "web", func(p *corev1.Pod) error { step(p); return nil }))
			}
			if err := Delete[*corev1.Pod](s, "default", "web", DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			var got []string
			var version uint64
			for _, c := range drain(t, w) {
				got = append(got, fmt.Sprintf("%s %s %s", c.Type, c.Object.GetLabels()["app"], c.Object.(*corev1.Pod).Status.Phase))
				if v := versionOf(c.Object); v <= version {
					t.Errorf("version %d after %d, want it to grow", v, version)
				} else {
					version = v
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWatchExpires(t *testing.T) {
	s := newStore(t, Options{History: 8})
	first := create(t, s, newPod("a"))
	slow := must[*Watch](t)(s.Watch(WatchOptions{From: first.ResourceVersion}))
	change := func(i int) string {
		return must[*corev1.Pod](t)(Modify(s, "default", "a", func(p *corev1.Pod) error { p.Spec.NodeName = fmt.Sprint(i); return nil })).ResourceVersion
	}
	var last string
	for i := range 20 {
		last = change(i)
	}
	if _, err := slow.Next(t.Context()); !apierrors.IsResourceExpired(err) {
		t.Errorf("a watch that fell behind: %v, want Expired", err)
	}
	tests := map[string]string{"before the history": first.ResourceVersion, "after the last change": last + "0", "of another run": "11"}
	for name, from := range tests {
		t.Run(name, func(t *testing.T) {
			w, err := s.Watch(WatchOptions{From: from})
			if err == nil {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_, err = w.Next(ctx)
			}
			if !apierrors.IsResourceExpired(err) {
				t.Errorf("error = %v, want Expired", err)
			}
		})
	}
	w := must[*Watch](t)(s.Watch(WatchOptions{From: last}))
	change(100)
	if n := len(drain(t, w)); n != 1 {
		t.Errorf("a watch from the last version saw %d changes, want 1", n)
	}
}

// A client that knows a version of the last run is told so, however much the new one has written:
// else it would go on with half of the objects.
func TestVersionsOfAnotherRun(t *testing.T) {
	const between = 50 * time.Millisecond
	now := start
	clock := func() time.Time { return now }
	before := newStore(t, Options{Now: clock})
	fill := func(s *Store) string {
		for i := range 30 {
			create(t, s, newPod(fmt.Sprint("p", i)))
		}
		return firstList(s)
	}
	first, last := firstList(before), fill(before)
	now = now.Add(between)
	after := newStore(t, Options{Now: clock})
	own := firstList(after)
	fill(after)
	for name, tt := range map[string]struct {
		s    *Store
		from string
		want bool
	}{
		"the first version of the last run": {after, first, true},
		"a version of the last run":         {after, last, true},
		"a version of a run to come":        {before, own, true},
		"its own first one":                 {after, own, false},
		"its own last one":                  {after, firstList(after), false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tt.s.Watch(WatchOptions{From: tt.from})
			if got := apierrors.IsResourceExpired(err); got != tt.want {
				t.Errorf("a watch from %s: %v, want Expired: %v", tt.from, err, tt.want)
			}
			if got := apierrors.IsResourceExpired(tt.s.CheckVersion(tt.from)); got != tt.want {
				t.Errorf("CheckVersion(%s) is Expired: %v, want %v", tt.from, got, tt.want)
			}
		})
	}
	if err := after.CheckVersion("yesterday"); !apierrors.IsBadRequest(err) {
		t.Errorf("CheckVersion of nonsense: %v, want BadRequest", err)
	}
}

// A watch that nobody reads costs a writer nothing, and one that waits is woken by the write.
func TestWatchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, Options{})
		w := must[*Watch](t)(s.Watch(WatchOptions{}))
		got := make(chan Change, 1)
		go func() {
			c, err := w.Next(t.Context())
			if err != nil {
				t.Error(err)
			}
			got <- c
		}()
		synctest.Wait() // it waits
		create(t, s, newPod("web"))
		if c := <-got; c.Object.GetName() != "web" {
			t.Errorf("change = %v, want web", c)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { _, err := w.Next(ctx); done <- err }()
		synctest.Wait()
		cancel()
		if err := <-done; err != context.Canceled {
			t.Errorf("error = %v, want %v", err, context.Canceled)
		}
	})
}

func TestWatchOfNonsense(t *testing.T) {
	const want = `resourceVersion: Invalid value: "yesterday": strconv.ParseUint: parsing "yesterday": invalid syntax`
	if _, err := newStore(t, Options{}).Watch(WatchOptions{From: "yesterday"}); !apierrors.IsBadRequest(err) || err.Error() != want {
		t.Errorf("error = %v, want BadRequest: %s", err, want)
	}
}

// lastWrite is a context that is done, and before one can see that, something is written.
type lastWrite struct {
	context.Context
	write func()
}

func (c lastWrite) Done() <-chan struct{} {
	c.write()
	return c.Context.Done()
}

// A watch whose context ends still reports what was written before.
func TestWatchReportsTheLastChange(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // a select would choose at random
		s := newStore(t, Options{})
		w := must[*Watch](t)(s.Watch(WatchOptions{}))
		ctx := lastWrite{done, sync.OnceFunc(func() { create(t, s, newPod("web")) })}
		if c, err := w.Next(ctx); err != nil || c.Type != Added {
			t.Fatalf("change = %v, error = %v, want what was written last", c, err)
		}
		if _, err := w.Next(ctx); err != context.Canceled {
			t.Fatalf("error = %v, want %v", err, context.Canceled)
		}
	}
}

// A slow reader that holds a change, and one that never reads, do not stop writers.
func TestSlowWatchBlocksNobody(t *testing.T) {
	s := newStore(t, Options{History: 16})
	never := must[*Watch](t)(s.Watch(WatchOptions{}))
	create(t, s, newPod("web"))
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for j := range 100 {
				_, err := Modify(s, "default", "web", func(p *corev1.Pod) error { p.Spec.NodeName = fmt.Sprint(i, j); return nil })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if _, err := never.Next(t.Context()); !apierrors.IsResourceExpired(err) {
		t.Errorf("error = %v, want Expired", err)
	}
}

// Changes of other kinds neither wake a watch nor make it fall behind, however many they are.
func TestWatchIsLeftAlone(t *testing.T) {
	s := newStore(t, Options{History: 8})
	create(t, s, newPod("web"))
	pods := must[*Watch](t)(s.Watch(WatchOptions{Kinds: []Object{&corev1.Pod{}}}))
	drain(t, pods)
	_, changed, err := pods.poll()
	if changed == nil || err != nil {
		t.Fatalf("poll = %v, %v, want a wait", changed, err)
	}
	for i := range 100 {
		create(t, s, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("c", i)}})
	}
	select {
	case <-changed:
		t.Error("a ConfigMap woke a watch of Pods")
	default:
	}
	create(t, s, newPod("web-2"))
	select {
	case <-changed:
	default:
		t.Error("a Pod did not wake a watch of Pods")
	}
	if change, err := pods.Next(t.Context()); err != nil || change.Object.GetName() != "web-2" {
		t.Errorf("Next = %v, %v, want web-2", change.Object, err)
	}
	if len(s.waiting) != 0 {
		t.Errorf("%d watches are still registered, want none", len(s.waiting))
	}
}
