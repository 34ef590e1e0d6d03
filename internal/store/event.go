package store

import (
	"cmp"
	"fmt"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// Record adds an Event. It is kept raw: equal ones are not merged (R221). It needs the Event kind
// to be registered.
func (s *Store) Record(o Occurrence) *corev1.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := reflect.TypeFor[*corev1.Event]()
	k := s.kind(t)
	now := s.opts.Now()
	uid := uuid.NewUUID()
	// so that a name is unique, also if the clock stands still or goes back
	s.eventTime = max(now.UnixNano(), s.eventTime+1)
	event := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:         cmp.Or(o.About.Namespace, metav1.NamespaceDefault),
			Name:              fmt.Sprintf("%s.%016x", o.About.Name, s.eventTime),
			UID:               uid,
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
	event.SetGroupVersionKind(k.GVK)
	s.put(t, event, Added)
	s.events = append(s.events, keyOf(event))
	s.dropOldEvents(t)
	return event
}

func (s *Store) dropOldEvents(t reflect.Type) {
	for len(s.events) > s.opts.MaxEvents {
		if oldest, ok := s.objects[t][s.events[0]]; ok {
			s.drop(t, oldest)
		}
		s.events = s.events[1:]
	}
}
