package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// clientEvent is an Event as a client's recorder posts it.
func clientEvent(name string, about corev1.ObjectReference) *corev1.Event {
	return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, InvolvedObject: about, Reason: name}
}

// eventNames lists the reasons of the Events that are kept.
func eventNames(s *Store) (reasons []string) {
	events, _ := List[*corev1.Event](s, Selector{})
	for _, e := range events {
		reasons = append(reasons, e.Reason)
	}
	return reasons
}

// An Event goes an hour after it was written last, whoever wrote it.
func TestEventsGoAfterAnHour(t *testing.T) {
	about := corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: "web"}
	record := func(s *Store) { s.Record(Occurrence{About: about, Type: "Normal", Reason: "r"}) }
	for name, tt := range map[string]struct {
		write, again func(*testing.T, *Store)
		after        time.Duration // again
		want         bool          // that it is there after 61 minutes
	}{
		"recorded":            {write: func(_ *testing.T, s *Store) { record(s) }},
		"recorded again":      {func(_ *testing.T, s *Store) { record(s) }, func(_ *testing.T, s *Store) { record(s) }, 9 * time.Minute, true},
		"of a client":         {write: func(t *testing.T, s *Store) { create(t, s, clientEvent("r", about)) }},
		"changed by a client": {func(t *testing.T, s *Store) { create(t, s, clientEvent("r", about)) }, count, 30 * time.Minute, true},
		"changed too late":    {func(t *testing.T, s *Store) { create(t, s, clientEvent("r", about)) }, nil, 61 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			now := start
			s := newStore(t, Options{Now: func() time.Time { return now }})
			tt.write(t, s)
			if now = now.Add(tt.after); tt.again != nil {
				tt.again(t, s)
			}
			if now = start.Add(time.Hour); len(eventNames(s)) == 0 && tt.after < time.Hour {
				t.Error("it is gone after an hour, want it there")
			}
			now = start.Add(61 * time.Minute)
			if got := len(eventNames(s)) == 1; got != tt.want {
				t.Errorf("after 61 minutes it is there: %v, want %v", got, tt.want)
			}
		})
	}
}

// count is what a client's recorder does when an Event occurs again.
func count(t *testing.T, s *Store) {
	must[*corev1.Event](t)(Modify(s, "default", "r", func(e *corev1.Event) error { e.Count++; return nil }))
}

// Nobody reads an old Event, and who watches learns of its end from any write.
func TestOldEventsAreGoneForAll(t *testing.T) {
	now := start
	s := newStore(t, Options{Now: func() time.Time { return now }})
	event := create(t, s, clientEvent("old", corev1.ObjectReference{Name: "web"}))
	early := must[*Watch](t)(s.Watch(WatchOptions{Kinds: []Object{&corev1.Event{}}, From: event.ResourceVersion}))
	now = now.Add(2 * time.Hour)
	if _, err := Get[*corev1.Event](s, "default", "old"); !apierrors.IsNotFound(err) {
		t.Errorf("Get: %v, want NotFound", err)
	}
	create(t, s, clientEvent("old", corev1.ObjectReference{Name: "web"}))
	now = now.Add(2 * time.Hour)
	if _, err := Update(s, event, DryRun); !apierrors.IsNotFound(err) {
		t.Errorf("Update: %v, want NotFound", err)
	}
	create(t, s, clientEvent("old", corev1.ObjectReference{Name: "web"}))
	now = now.Add(2 * time.Hour)
	if late := must[*Watch](t)(s.Watch(WatchOptions{})); late.Initial() != 0 {
		t.Errorf("a new watch has %d objects to report, want none", late.Initial())
	}
	create(t, s, clientEvent("young", corev1.ObjectReference{Name: "web"}))
	now = now.Add(2 * time.Hour)
	create(t, s, newPod("web"))
	want := []string{"DELETED *v1.Event old", "ADDED *v1.Event old", "DELETED *v1.Event old", "ADDED *v1.Event old", "DELETED *v1.Event old",
		"ADDED *v1.Event young", "DELETED *v1.Event young"}
	if diff := cmp.Diff(want, describe(drain(t, early))); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// One object of which a client tells much pushes out its own Events only, also when the client
// changes what they say.
func TestEventsOfOneObjectByClients(t *testing.T) {
	s := newStore(t, Options{})
	quiet, noisy := corev1.ObjectReference{Kind: "Pod", Name: "quiet"}, corev1.ObjectReference{Kind: "Pod", Name: "noisy"}
	create(t, s, clientEvent("quiet", quiet))
	for i := range 150 {
		create(t, s, clientEvent(fmt.Sprintf("noisy.%03d", i), noisy))
		if i > 0 {
			must[*corev1.Event](t)(Modify(s, "default", "noisy.000", func(e *corev1.Event) error { e.Message = fmt.Sprint(i); return nil }))
		}
	}
	events := eventNames(s)
	if len(events) != 1+maxEventsOfObject || events[0] != "noisy.000" || events[1] != "noisy.051" || events[len(events)-1] != "quiet" {
		t.Errorf("%d Events are kept, %v … %v: want 101, among them noisy.000, which changed last, and the last 99", len(events), events[:2], events[len(events)-1])
	}
	must[*corev1.Event](t)(Modify(s, "default", "noisy.000", func(e *corev1.Event) error { e.InvolvedObject = quiet; return nil }))
	if err := Delete[*corev1.Event](s, "default", "noisy.149", DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if l := s.events; l.all.Len() != 100 || len(l.named) != 100 || len(l.known) != 100 || l.ofObject[quiet].Len() != 2 || l.ofObject[noisy].Len() != 98 {
		t.Errorf("the log knows %d Events by %d names, %d different ones: want 100, two of quiet", l.all.Len(), len(l.named), len(l.known))
	}
}
