package store

import (
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

// R221: raw, and in order, also when the clock does not move or goes back.
func TestRecordMergesNothing(t *testing.T) {
	now := start
	s := newStore(t, Options{Now: func() time.Time { return now }})
	pod := create(t, s, newPod("web"))
	const n = 300
	for i := range n {
		s.Record(occurrence(pod, "Unhealthy"))
		if i%10 == 0 {
			now = now.Add(-time.Nanosecond)
		}
	}
	events, _ := List[*corev1.Event](s, Selector{})
	if len(events) != n {
		t.Fatalf("%d events, want %d", len(events), n)
	}
	for i, e := range events {
		if !strings.HasPrefix(e.Name, "web.") || e.Count != 1 {
			t.Fatalf("event %s with count %d, want web.… with 1", e.Name, e.Count)
		}
		if i > 0 && versionOf(events[i-1]) >= versionOf(e) {
			t.Fatalf("event %s is not in the order in which they were recorded", e.Name)
		}
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
	want := []string{"ADDED a", "ADDED b", "ADDED c", "ADDED d", "DELETED a", "DELETED c", "ADDED e", "DELETED b", "ADDED f"}
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
