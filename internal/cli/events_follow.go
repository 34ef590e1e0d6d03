package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
}

// maxWaiting is how many Events may wait: that somebody writes Events about Pods that never were
// must not fill the memory.
const maxWaiting = 1000

// eventMessage is what one of the watches tells: an Event, a ReplicaSet or a Pod, or that it cannot
// go on.
type eventMessage struct {
	event  *corev1.Event
	member metav1.Object
	err    error
}

// run prints the Events after a version, until the run ends. Every goroutine is joined.
func (f *eventFollower) run(ctx context.Context, s *session, version string) error {
	ctx, cancel := context.WithCancel(ctx)
	messages := make(chan eventMessage)
	var watches sync.WaitGroup
	watches.Go(func() {
		tellOf(ctx, s.client, kube.Events, f.flags.namespace, version, messages, func(e *corev1.Event) eventMessage { return eventMessage{event: e} })
	})
	if f.family.IsPart() {
		watches.Go(func() {
			tellOf(ctx, s.client, kube.ReplicaSets, f.flags.namespace, s.Versions.ReplicaSets, messages,
				func(o *appsv1.ReplicaSet) eventMessage { return eventMessage{member: o} })
		})
		watches.Go(func() {
			tellOf(ctx, s.client, kube.Pods, f.flags.namespace, s.Versions.Pods, messages,
				func(o *corev1.Pod) eventMessage { return eventMessage{member: o} })
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

// tellOf sends what a watch tells, until it ends. Of Events each one counts; of what they are
// about, what is too old to be told is read anew.
func tellOf[T any](ctx context.Context, client *kube.Client, kind kube.Kind, namespace, version string, to chan<- eventMessage, wrap func(*T) eventMessage) {
	for again := true; again; {
		again = false
		for change, err := range kube.Follow[T](ctx, client, kind, namespace, metav1.ListOptions{ResourceVersion: version}) {
			if kind != kube.Events && apierrors.IsResourceExpired(err) {
				version, again = "", true
				break
			}
			m := eventMessage{err: err}
			if err == nil {
				if kind == kube.Events && change.Type == watch.Deleted {
					continue
				}
				m = wrap(&change.Object)
			}
			select {
			case to <- m:
			case <-ctx.Done():
				return
			}
		}
	}
}

// take prints what can be told since a message has come.
func (f *eventFollower) take(m eventMessage) error {
	switch {
	case apierrors.IsResourceExpired(m.err):
		return failed(errors.New("more Events came than could be followed: ask again"))
	case m.err != nil:
		return failed(m.err)
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
