package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func occurrence(pod *corev1.Pod, reason string) Occurrence {
	return Occurrence{
		About: corev1.ObjectReference{
			APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
			ResourceVersion: pod.ResourceVersion, FieldPath: "spec.containers{web}",
		},
		Type: corev1.EventTypeWarning, Reason: reason, Message: "it did", Component: "kubelet", Host: "here",
	}
}

func TestRecord(t *testing.T) {
	s := newStore(t, Options{})
	pod := create(t, s, newPod("web"))
	o := occurrence(pod, "Unhealthy")
	got := s.Record(o)
	second := metav1.NewTime(start.Truncate(time.Second))
	want := &corev1.Event{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Event"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: got.Name, UID: got.UID, ResourceVersion: got.ResourceVersion, CreationTimestamp: second,
		},
		InvolvedObject: o.About, Type: "Warning", Reason: "Unhealthy", Message: "it did",
		Source:         corev1.EventSource{Component: "kubelet", Host: "here"},
		FirstTimestamp: second, LastTimestamp: second, EventTime: metav1.NewMicroTime(start.Truncate(time.Microsecond)), Count: 1,
		ReportingController: "kubelet", ReportingInstance: "here",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if stored := must[*corev1.Event](t)(Get[*corev1.Event](s, "default", got.Name)); stored != got {
		t.Errorf("stored = %v, want what Record returned", stored)
	}
}

func TestRecordAboutAClusterScopedObject(t *testing.T) {
	s := newStore(t, Options{})
	event := s.Record(Occurrence{About: corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: "here"}, Type: "Normal", Reason: "Ready"})
	if event.Namespace != "default" {
		t.Errorf("namespace = %q, want default, as Kubernetes does", event.Namespace)
	}
}

// R221: what is equal is one Event, until ten minutes have passed without it.
func TestEqualEventsAreMerged(t *testing.T) {
	now := start
	s := newStore(t, Options{Now: func() time.Time { return now }})
	pod := create(t, s, newPod("web"))
	w := must[*Watch](t)(s.Watch(WatchOptions{Kinds: []Object{&corev1.Event{}}}))
	o := occurrence(pod, "Unhealthy")
	first := s.Record(o)
	now = now.Add(9*time.Minute + 1234567*time.Microsecond)
	o.About.ResourceVersion = "another one"
	second := s.Record(o)
	third := now.Add(MergeWithin - time.Second)
	now = third
	s.Record(o)
	now = now.Add(MergeWithin + time.Second)
	anew := s.Record(o)

	if second.Name != first.Name || first.Count != 1 || first.Series != nil {
		t.Errorf("the first two are %s with count %d, and %s; the first must not change", first.Name, first.Count, second.Name)
	}
	want := first.DeepCopy()
	want.Count, want.Series = 3, &corev1.EventSeries{Count: 3, LastObservedTime: metav1.NewMicroTime(third.Truncate(time.Microsecond))}
	want.LastTimestamp = metav1.NewTime(third.Truncate(time.Second))
	merged := must[*corev1.Event](t)(Get[*corev1.Event](s, "default", first.Name))
	want.ResourceVersion = merged.ResourceVersion
	if diff := cmp.Diff(want, merged); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
	if anew.Name == first.Name || anew.Count != 1 || !LastSeen(anew).Equal(now.Truncate(time.Microsecond)) || !LastSeen(merged).Equal(third.Truncate(time.Microsecond)) {
		t.Errorf("after ten minutes there is %s with count %d, last seen %v", anew.Name, anew.Count, LastSeen(anew))
	}
	var seen []string
	for _, c := range drain(t, w) {
		seen = append(seen, fmt.Sprintf("%s x%d", c.Type, c.Object.(*corev1.Event).Count))
	}
	if diff := cmp.Diff([]string{"ADDED x1", "MODIFIED x2", "MODIFIED x3", "ADDED x1"}, seen); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// What differs in anything that matters is another Event, also when the clock does not move or goes
// back.
func TestDifferentEventsAreNotMerged(t *testing.T) {
	now := start
	s := newStore(t, Options{Now: func() time.Time { return now }})
	pod := create(t, s, newPod("web"))
	changes := map[string]func(*Occurrence){
		"nothing": func(o *Occurrence) {}, "type": func(o *Occurrence) { o.Type = "Normal" }, "reason": func(o *Occurrence) { o.Reason = "Killing" },
		"message": func(o *Occurrence) { o.Message = "it did not" }, "component": func(o *Occurrence) { o.Component = "probity" },
		"host": func(o *Occurrence) { o.Host = "there" }, "container": func(o *Occurrence) { o.About.FieldPath = "spec.containers{db}" },
		"Pod": func(o *Occurrence) { o.About.UID = "of another Pod of this name" },
	}
	names := map[string]bool{}
	for range 3 {
		for _, change := range changes {
			o := occurrence(pod, "Unhealthy")
			change(&o)
			names[s.Record(o).Name] = true
			now = now.Add(-time.Nanosecond)
		}
	}
	events, _ := List[*corev1.Event](s, Selector{})
	if len(events) != len(changes) || len(names) != len(changes) {
		t.Fatalf("%d Events, want %d", len(events), len(changes))
	}
	for i, e := range events {
		if !strings.HasPrefix(e.Name, "web.") || e.Count != 3 {
			t.Errorf("event %s with count %d, want web.… with 3", e.Name, e.Count)
		}
		if i > 0 && events[i-1].Name >= e.Name {
			t.Errorf("event %s is not in the order in which they were recorded", e.Name)
		}
	}
}

// One that was deleted is not brought back.
func TestADeletedEventIsRecordedAnew(t *testing.T) {
	s := newStore(t, Options{})
	o := occurrence(create(t, s, newPod("web")), "Unhealthy")
	first := s.Record(o)
	if err := Delete[*corev1.Event](s, "default", first.Name, DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if again := s.Record(o); again.Name == first.Name || again.Count != 1 {
		t.Errorf("recorded %s with count %d, want a new one", again.Name, again.Count)
	}
}

// One object that has much to tell pushes out its own Events only, and those first that occurred
// least lately.
func TestEventsOfOneObject(t *testing.T) {
	s := newStore(t, Options{})
	quiet, noisy := create(t, s, newPod("quiet")), create(t, s, newPod("noisy"))
	s.Record(occurrence(quiet, "Started"))
	for i := range 1000 {
		o := occurrence(noisy, "Unhealthy")
		o.Message = fmt.Sprintf("%03d", i)
		s.Record(o)
		o = occurrence(noisy, "Often")
		o.About.FieldPath = "spec.containers{other}"
		s.Record(o)
	}
	events, _ := List[*corev1.Event](s, Selector{})
	of := map[string]int{}
	for _, e := range events {
		of[e.InvolvedObject.Name+" "+e.Reason]++
		if e.Reason == "Unhealthy" && e.Message < "901" {
			t.Errorf("%s is kept, although 99 others came after it", e.Message)
		}
	}
	want := map[string]int{"quiet Started": 1, "noisy Unhealthy": maxEventsOfObject - 1, "noisy Often": 1}
	if diff := cmp.Diff(want, of); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if n := s.events.all.Len(); n != len(events) || len(s.events.known) != n || len(s.events.ofObject) != 2 {
		t.Errorf("the log knows %d Events, %d different ones of %d objects; there are %d", n, len(s.events.known), len(s.events.ofObject), len(events))
	}
}

func TestOldEventsAreDropped(t *testing.T) {
	s := newStore(t, Options{MaxEvents: 3})
	pod := create(t, s, newPod("web"))
	w := must[*Watch](t)(s.Watch(WatchOptions{Kinds: []Object{&corev1.Event{}}}))
	for _, reason := range []string{"a", "b", "c", "d"} {
		s.Record(occurrence(pod, reason))
	}
	events, _ := List[*corev1.Event](s, Selector{})
	// c
	if err := Delete[*corev1.Event](s, "default", events[1].Name, DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.Record(occurrence(pod, "e"))
	s.Record(occurrence(pod, "f"))
	var got []string
	events, _ = List[*corev1.Event](s, Selector{})
	for _, e := range events {
		got = append(got, e.Reason)
	}
	if diff := cmp.Diff([]string{"d", "e", "f"}, got); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	var seen []string
	for _, c := range drain(t, w) {
		seen = append(seen, string(c.Type)+" "+c.Object.(*corev1.Event).Reason)
	}
	want := []string{"ADDED a", "ADDED b", "ADDED c", "ADDED d", "DELETED a", "DELETED c", "ADDED e", "ADDED f", "DELETED b"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// What clients make counts as well: a controller's recorder posts its Events.
func TestOldEventsOfClientsAreDropped(t *testing.T) {
	s := newStore(t, Options{MaxEvents: 3})
	pod := create(t, s, newPod("web"))
	for i, name := range []string{"a", "b", "c", "d", "e"} {
		if create(t, s, &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Reason: name}); i == 2 {
			s.Record(occurrence(pod, "recorded"))
		}
	}
	var got []string
	events, _ := List[*corev1.Event](s, Selector{})
	for _, e := range events {
		got = append(got, e.Reason)
	}
	if diff := cmp.Diff([]string{"d", "e", "recorded"}, got); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}
