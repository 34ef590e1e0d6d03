package cli

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/view"
)

// eventFollower prints Events as they come. Whose they are it knows from watches of ReplicaSets and
// Pods, which also tell of those that are gone before anybody could ask for them. The watches do
// not wait for each other, so an Event may have to wait until it is known whose it is.
type eventFollower struct {
	streams Streams
	flags   eventFlags
	family  *kube.Family
	table   view.EventTable // as it was printed so far
	waiting []*corev1.Event
	hearing hearing
}

// maxWaiting is how many Events may wait: that somebody writes Events about Pods that never were
// must not fill the memory.
const maxWaiting = 1000

// eventMessage is what one of the watches tells: an Event, a ReplicaSet or a Pod, that it cannot go
// on, or whether it hears the server.
type eventMessage struct {
	event  *corev1.Event
	member metav1.Object
	err    error
	watch  string // the watch that tells whether it hears the server
	lost   error  // why it does not; nil if it does
}

// run prints the Events after a list, until the run ends. Every goroutine is joined.
func (f *eventFollower) run(ctx context.Context, s *session, list *corev1.EventList) error {
	ctx, cancel := context.WithCancel(ctx)
	messages := make(chan eventMessage)
	w := eventWatches{client: s.client, namespace: f.flags.namespace, lasts: f.flags.isCluster(), messages: messages}
	var watches sync.WaitGroup
	watches.Go(func() {
		told := toldEvents(list.Items)
		tellOf(ctx, &w, kube.Events, list.ResourceVersion, func(what watch.EventType, e *corev1.Event, anew bool) (eventMessage, bool) {
			known := told.note(what, e)
			return eventMessage{event: e}, what != watch.Deleted && !(anew && known)
		})
	})
	if f.family.IsPart() {
		watches.Go(func() {
			tellOf(ctx, &w, kube.ReplicaSets, s.Versions.ReplicaSets, func(_ watch.EventType, o *appsv1.ReplicaSet, _ bool) (eventMessage, bool) {
				return eventMessage{member: o}, true
			})
		})
		watches.Go(func() {
			tellOf(ctx, &w, kube.Pods, s.Versions.Pods, func(_ watch.EventType, o *corev1.Pod, _ bool) (eventMessage, bool) {
				return eventMessage{member: o}, true
			})
		})
	}
	go func() { // it ends before messages are
		watches.Wait()
		close(messages)
	}()
	var err error
	for m := range messages {
		if err != nil {
			continue // the watches are ending
		}
		if err = f.take(m); err != nil {
			cancel()
		}
	}
	cancel()
	return err
}

// eventWatches are the watches of a follower.
type eventWatches struct {
	client    *kube.Client
	namespace string
	lasts     bool // the server is asked again when it does not answer
	messages  chan<- eventMessage
}

func (w *eventWatches) send(ctx context.Context, m eventMessage) {
	select {
	case w.messages <- m:
	case <-ctx.Done():
	}
}

// told are the versions of Events that were told, so that they are not told again when all are read
// anew.
type told map[types.UID]string

func toldEvents(listed []corev1.Event) told {
	t := told{}
	for i := range listed {
		t[listed[i].UID] = listed[i].ResourceVersion
	}
	return t
}

// note takes a change of an Event, and reports whether it was told before.
func (t told) note(what watch.EventType, e *corev1.Event) (known bool) {
	version, known := t[e.UID]
	if what == watch.Deleted {
		delete(t, e.UID)
	} else {
		t[e.UID] = e.ResourceVersion
	}
	return known && version == e.ResourceVersion
}

// againPause is how long a watch waits that has fallen behind, until all it is about is told anew.
const againPause = 200 * time.Millisecond

// tellOf sends what a watch tells and wrap takes, until it ends. What is too old to be told is read
// anew, which wrap is told.
func tellOf[T any](ctx context.Context, w *eventWatches, kind kube.Kind, version string, wrap func(what watch.EventType, o *T, anew bool) (eventMessage, bool)) {
	var trouble func(error)
	if w.lasts {
		trouble = func(err error) { w.send(ctx, eventMessage{watch: kind.Plural, lost: err}) }
	}
	for anew, again := false, true; again; anew = true {
		again = false
		for change, err := range kube.Follow[T](ctx, w.client, kind, w.namespace, metav1.ListOptions{ResourceVersion: version}, trouble) {
			if kube.IsExpired(err) {
				version, again = "", true
				break
			}
			m, wanted := eventMessage{err: err}, true
			if err == nil {
				m, wanted = wrap(change.Type, &change.Object, anew)
			}
			if wanted {
				w.send(ctx, m)
			}
		}
		if again {
			select {
			case <-ctx.Done():
			case <-time.After(againPause):
			}
		}
	}
}

// take prints what can be told since a message has come.
func (f *eventFollower) take(m eventMessage) error {
	switch {
	case m.err != nil:
		return failed(m.err)
	case m.watch != "":
		f.hearing.note(m.watch, m.lost)
	case m.member != nil:
		f.family.Learn(m.member)
	case f.flags.takes(m.event):
		f.waiting = append(f.waiting, m.event)
	}
	var told []*corev1.Event
	f.waiting = slices.DeleteFunc(f.waiting, func(e *corev1.Event) bool {
		belongs, known := f.family.Has(e.InvolvedObject)
		if belongs {
			told = append(told, e)
		}
		return known
	})
	f.waiting = f.waiting[max(0, len(f.waiting)-maxWaiting):]
	if len(told) == 0 {
		return nil
	}
	if _, err := fmt.Fprint(f.streams.Out, f.table.Rows(told, time.Now(), widthOf(f.streams))); err != nil {
		return failed(err)
	}
	return nil
}
