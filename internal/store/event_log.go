package store

import (
	linked "container/list"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// maxEventsOfObject is how many Events of one object are kept: a probe that fails with a new
	// text each second shall not push out what happened to others.
	maxEventsOfObject = 100
	// eventTTL is how long an Event is kept after it was written last, as on a cluster.
	eventTTL = time.Hour
)

// eventLog knows all Events, whoever wrote them, in the order in which they were written last, and
// which are equal.
type eventLog struct {
	all      *linked.List // of *loggedEvent, the one that was written last at the back
	named    map[types.NamespacedName]*loggedEvent
	known    map[Occurrence]*loggedEvent             // the newest of equal ones
	ofObject map[corev1.ObjectReference]*linked.List // of *loggedEvent, in the same order
}

// loggedEvent is an Event in the log.
type loggedEvent struct {
	name       types.NamespacedName
	occurrence Occurrence
	written    time.Time
	inAll, own *linked.Element
}

func newEventLog() eventLog {
	return eventLog{linked.New(), map[types.NamespacedName]*loggedEvent{}, map[Occurrence]*loggedEvent{}, map[corev1.ObjectReference]*linked.List{}}
}

// equal is the name of the newest Event that an occurrence equals; none if there is no such Event.
func (l *eventLog) equal(o Occurrence) types.NamespacedName {
	if e := l.known[common(o)]; e != nil {
		return e.name
	}
	return types.NamespacedName{}
}

// add notes that an Event was written, for the first time or again.
func (l *eventLog) add(event *corev1.Event, now time.Time) {
	e := &loggedEvent{name: keyOf(event), occurrence: common(occurrenceOf(event)), written: now}
	l.forget(e.name)
	own := l.ofObject[objectOf(e.occurrence)]
	if own == nil {
		own = linked.New()
		l.ofObject[objectOf(e.occurrence)] = own
	}
	e.inAll, e.own = l.all.PushBack(e), own.PushBack(e)
	l.named[e.name], l.known[e.occurrence] = e, e
}

// surplus returns an Event for which there is no room since another one was added: the oldest of
// its object, or of all.
func (l *eventLog) surplus(added *corev1.Event, limit int) (name types.NamespacedName, ok bool) {
	own := l.ofObject[objectOf(common(occurrenceOf(added)))]
	switch {
	case own != nil && own.Len() > maxEventsOfObject:
		return own.Front().Value.(*loggedEvent).name, true
	case l.all.Len() > limit:
		return l.all.Front().Value.(*loggedEvent).name, true
	}
	return types.NamespacedName{}, false
}

// expired returns the oldest Event if it was kept for long enough.
func (l *eventLog) expired(now func() time.Time) (name types.NamespacedName, ok bool) {
	oldest := l.all.Front()
	if oldest == nil {
		return types.NamespacedName{}, false
	}
	e := oldest.Value.(*loggedEvent)
	return e.name, now().Sub(e.written) > eventTTL
}

// forget notes that an Event is gone, if it was there.
func (l *eventLog) forget(name types.NamespacedName) {
	e := l.named[name]
	if e == nil {
		return
	}
	object := objectOf(e.occurrence)
	l.all.Remove(e.inAll)
	own := l.ofObject[object]
	if own.Remove(e.own); own.Len() == 0 {
		delete(l.ofObject, object)
	}
	if l.known[e.occurrence] == e {
		delete(l.known, e.occurrence)
	}
	delete(l.named, name)
}

// common is what equal occurrences have in common.
func common(o Occurrence) Occurrence {
	o.About.ResourceVersion = ""
	return o
}

// objectOf is the object without the part of it that an occurrence is about.
func objectOf(o Occurrence) corev1.ObjectReference {
	object := o.About
	object.FieldPath = ""
	return object
}
