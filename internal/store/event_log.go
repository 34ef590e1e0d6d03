package store

import (
	linked "container/list"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// maxEventsOfObject is how many Events of one object are kept: a probe that fails with a new text
// each second shall not push out what happened to others.
const maxEventsOfObject = 100

// eventLog knows the Events in the order of their last occurrence, and which are equal.
type eventLog struct {
	all      *linked.List // of *loggedEvent, the one that occurred last at the back
	known    map[Occurrence]*loggedEvent
	ofObject map[corev1.ObjectReference]*linked.List // of *loggedEvent, in the same order
}

// loggedEvent is an Event in the log.
type loggedEvent struct {
	name       types.NamespacedName
	occurrence Occurrence
	inAll, own *linked.Element
}

func newEventLog() eventLog {
	return eventLog{linked.New(), map[Occurrence]*loggedEvent{}, map[corev1.ObjectReference]*linked.List{}}
}

// equal is the name of the newest Event that an occurrence equals; none if there is no such Event.
func (l *eventLog) equal(o Occurrence) types.NamespacedName {
	if e := l.known[common(o)]; e != nil {
		return e.name
	}
	return types.NamespacedName{}
}

// add notes that an Event occurred now, for the first time or again.
func (l *eventLog) add(o Occurrence, name types.NamespacedName) {
	o = common(o)
	object := objectOf(o)
	if e := l.known[o]; e != nil && e.name == name {
		l.all.MoveToBack(e.inAll)
		l.ofObject[object].MoveToBack(e.own)
		return
	}
	own := l.ofObject[object]
	if own == nil {
		own = linked.New()
		l.ofObject[object] = own
	}
	e := &loggedEvent{name: name, occurrence: o}
	e.inAll, e.own = l.all.PushBack(e), own.PushBack(e)
	l.known[o] = e
}

// surplus forgets the oldest Events of the object of an occurrence and of all, as far as there are
// too many, and returns their names.
func (l *eventLog) surplus(o Occurrence, limit int) (names []types.NamespacedName) {
	if own := l.ofObject[objectOf(common(o))]; own.Len() > maxEventsOfObject {
		names = append(names, l.forget(own.Front().Value.(*loggedEvent)))
	}
	for l.all.Len() > limit {
		names = append(names, l.forget(l.all.Front().Value.(*loggedEvent)))
	}
	return names
}

func (l *eventLog) forget(e *loggedEvent) types.NamespacedName {
	object := objectOf(e.occurrence)
	l.all.Remove(e.inAll)
	own := l.ofObject[object]
	if own.Remove(e.own); own.Len() == 0 {
		delete(l.ofObject, object)
	}
	if l.known[e.occurrence] == e {
		delete(l.known, e.occurrence)
	}
	return e.name
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
