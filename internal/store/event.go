package store

import (
	"cmp"
	"fmt"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
)

// Occurrence is something to record as an Event.
type Occurrence struct {
	// About is the object it happened to; its apiVersion, kind, namespace, name and uid are needed.
	About corev1.ObjectReference
	// Type is Normal or Warning.
	Type, Reason, Message string
	// Component is who reports it, such as kubelet; Host is where.
	Component, Host string
}

// MergeWithin is for how long after an Event an equal one is merged with it.
const MergeWithin = 10 * time.Minute

// Record records an Event: a new one, or one more of an Event with the same object, type, reason,
// message and source that last occurred within [MergeWithin] (R221). Then its count, lastTimestamp
// and series say so. Nothing else is merged, and nothing is dropped because there are many at a
// time. It needs the Event kind to be registered.
func (s *Store) Record(o Occurrence) *corev1.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := eventType()
	s.kind(t)
	now := s.opts.Now()
	if known, ok := s.objects[t][s.events.equal(o)]; ok && now.Sub(LastSeen(known.(*corev1.Event))) <= MergeWithin {
		again := known.(*corev1.Event).DeepCopy()
		again.Count++
		again.LastTimestamp = metav1.NewTime(now).Rfc3339Copy()
		again.Series = &corev1.EventSeries{Count: again.Count, LastObservedTime: metav1.NewMicroTime(now.Truncate(time.Microsecond))}
		s.put(t, again, Modified)
		return again
	}
	event := s.newEvent(o, now)
	event.SetGroupVersionKind(s.kinds[t].GVK)
	s.put(t, event, Added)
	return event
}

// eventType is how the store knows Events.
func eventType() reflect.Type { return reflect.TypeFor[*corev1.Event]() }

// keepEvent notes that an Event was written, and drops those for which there is no room any more.
func (s *Store) keepEvent(event *corev1.Event) {
	s.events.add(event, s.opts.Now())
	for old, ok := s.events.surplus(event, s.opts.MaxEvents); ok; old, ok = s.events.surplus(event, s.opts.MaxEvents) {
		s.dropEvent(old)
	}
}

// expireEvents drops the Events that were kept for long enough. Every write does it, and whoever
// reads Events: nobody waits for the time to pass.
func (s *Store) expireEvents() {
	for old, ok := s.events.expired(s.opts.Now); ok; old, ok = s.events.expired(s.opts.Now) {
		s.dropEvent(old)
	}
}

func (s *Store) dropEvent(name types.NamespacedName) {
	s.drop(eventType(), s.objects[eventType()][name])
}

// occurrenceOf is what an Event says that happened.
func occurrenceOf(e *corev1.Event) Occurrence {
	return Occurrence{
		About: e.InvolvedObject, Type: e.Type, Reason: e.Reason, Message: e.Message,
		Component: cmp.Or(e.Source.Component, e.ReportingController), Host: cmp.Or(e.Source.Host, e.ReportingInstance),
	}
}

// LastSeen is when an Event occurred last, to the microsecond.
func LastSeen(e *corev1.Event) time.Time {
	if e.Series != nil {
		return e.Series.LastObservedTime.Time
	}
	return e.EventTime.Time
}

// newEvent makes the Event of a first occurrence.
func (s *Store) newEvent(o Occurrence, now time.Time) *corev1.Event {
	// so that a name is unique, also if the clock stands still or goes back
	s.eventTime = max(now.UnixNano(), s.eventTime+1)
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:         cmp.Or(o.About.Namespace, metav1.NamespaceDefault),
			Name:              fmt.Sprintf("%s.%016x", o.About.Name, s.eventTime),
			UID:               uuid.NewUUID(),
			CreationTimestamp: metav1.NewTime(now).Rfc3339Copy(),
		},
		InvolvedObject:      o.About,
		Reason:              o.Reason,
		Message:             o.Message,
		Type:                o.Type,
		Source:              corev1.EventSource{Component: o.Component, Host: o.Host},
		FirstTimestamp:      metav1.NewTime(now).Rfc3339Copy(),
		LastTimestamp:       metav1.NewTime(now).Rfc3339Copy(),
		EventTime:           metav1.NewMicroTime(now.Truncate(time.Microsecond)),
		Count:               1,
		ReportingController: o.Component,
		ReportingInstance:   o.Host,
	}
}
