package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What a bookmark needs: when the initial objects are over, and up to where all was reported.
func TestWatchInitialAndVersion(t *testing.T) {
	s := newStore(t, Options{})
	create(t, s, newPod("a"))
	b := create(t, s, newPod("b"))
	w := must[*Watch](t)(s.Watch(WatchOptions{Kinds: []Object{&corev1.Pod{}}, Selector: Selector{Namespace: "default"}}))
	listed := firstList(s)
	c := create(t, s, newPod("c"))
	other := create(t, s, newPod("c", func(p *corev1.Pod) { p.Namespace = "other" }))
	last := create(t, s, newPod("d"))
	for _, want := range []struct {
		name    string
		left    int
		version string
	}{{"a", 1, ""}, {"b", 0, listed}, {"c", 0, c.ResourceVersion}, {"d", 0, last.ResourceVersion}} {
		change, err := w.Next(t.Context())
		if err != nil || change.Object.GetName() != want.name || w.Initial() != want.left || w.Version() != want.version {
			t.Errorf("%s: %d left, version %s, %v, want %v", change.Object.GetName(), w.Initial(), w.Version(), err, want)
		}
	}
	if versionOf(other) >= versionOf(last) || versionOf(b) >= versionOf(c) {
		t.Error("the test is not about what it says")
	}
	// while nothing of its kind happens
	done, cancel := context.WithCancel(t.Context())
	cancel()
	idle := func() string {
		if _, err := w.Next(done); err != context.Canceled {
			t.Fatalf("error = %v, want %v", err, context.Canceled)
		}
		return w.Version()
	}
	create(t, s, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "c"}})
	if got, want := idle(), firstList(s); got != want {
		t.Errorf("version of an idle watch = %s, want that of the store, %s", got, want)
	}
	create(t, s, newPod("e"))
	again := must[*Watch](t)(s.Watch(WatchOptions{From: w.Version(), Kinds: []Object{&corev1.Pod{}}}))
	if diff := cmp.Diff(describe(drain(t, w)), describe(drain(t, again))); diff != "" {
		t.Errorf("a watch that begins at the version of another (-other +it):\n%s", diff)
	}
}

// Without initial objects there is nothing to wait for.
func TestWatchOfNothing(t *testing.T) {
	s := newStore(t, Options{})
	w := must[*Watch](t)(s.Watch(WatchOptions{}))
	if w.Initial() != 0 || w.Version() != firstList(s) {
		t.Errorf("%d left, version %q, want 0, %q", w.Initial(), w.Version(), firstList(s))
	}
}

// While a watch waits, the store goes on without it.
func TestVersionAfterAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, Options{})
		w := must[*Watch](t)(s.Watch(WatchOptions{Kinds: []Object{&corev1.Pod{}}}))
		minute, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		done := make(chan error, 1)
		go func() { _, err := w.Next(minute); done <- err }()
		synctest.Wait()
		create(t, s, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "c"}})
		if err := <-done; err != context.DeadlineExceeded {
			t.Fatalf("error = %v, want %v", err, context.DeadlineExceeded)
		}
		if got, want := w.Version(), firstList(s); got != want {
			t.Errorf("version = %s, want %s", got, want)
		}
	})
}
