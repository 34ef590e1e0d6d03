package logs

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/kube"
)

// Selection says which Pods are followed.
type Selection struct {
	Namespace string
	// Options select them by label, or one by its name.
	Options metav1.ListOptions
	// One says that it is one Pod, with whose end the following ends.
	One bool
}

// message is what the goroutines of a follower tell the one that prints.
type message struct {
	line   Line
	from   *reader         // who read the line
	change *corev1.Pod     // a Pod that there is
	what   watch.EventType // what happened to it
}

// Follow goes on after [Reader.Read] with what is printed, also by Pods that come later, until the
// run ends, the one Pod is gone, or the context is done. Every goroutine is joined.
func (r *Reader) Follow(ctx context.Context, selection Selection) error {
	ctx, cancel := context.WithCancel(ctx)
	f := &follower{Reader: r, messages: make(chan message), streamed: map[key]int32{}}
	var watching sync.WaitGroup
	watched := make(chan error, 1)
	watching.Go(func() { watched <- f.watch(ctx, selection) })
	err := f.loop(ctx, selection, watched)
	cancel()
	watching.Wait()
	f.streams.Wait()
	return err
}

// follower follows Pods. Its fields but for messages and streams belong to the goroutine of loop.
type follower struct {
	*Reader
	messages chan message
	streams  sync.WaitGroup
	streamed map[key]int32 // how many restarts there were before the newest instance that is read
	open     int           // how many are being read
	over     bool          // nothing new will come
}

// loop gives lines until nothing can come any more.
func (f *follower) loop(ctx context.Context, selection Selection, watched <-chan error) error {
	for {
		if f.over && f.open == 0 {
			return nil
		}
		select {
		case m := <-f.messages:
			if err := f.take(ctx, m, selection.One); err != nil {
				return err
			}
		case err := <-watched:
			if err != nil && ctx.Err() == nil {
				return err
			}
			f.over, watched = true, nil
		case <-ctx.Done():
			return nil
		}
	}
}

// take does what a message asks for.
func (f *follower) take(ctx context.Context, m message, one bool) error {
	switch {
	case m.from == nil:
		f.onPod(ctx, m.what, m.change)
		f.over = f.over || one && (m.what == watch.Deleted || hasEnded(m.change))
	case m.line.Pod == nil:
		f.open--
	case m.from.isNew(m.line):
		return f.give(m.line)
	}
	return nil
}

func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// onPod begins to read what has begun to run.
func (f *follower) onPod(ctx context.Context, what watch.EventType, pod *corev1.Pod) {
	if what == watch.Deleted {
		return
	}
	wanted := f.containers(pod)
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		k := key{pod.UID, status.Name}
		ran := status.State.Running != nil || status.State.Terminated != nil || status.LastTerminationState.Terminated != nil
		if before, known := f.streamed[k]; !ran || !slices.Contains(wanted, status.Name) || known && before >= status.RestartCount {
			continue
		}
		o := kube.LogOptions{Follow: true, Since: f.options.Since}
		if _, known := f.streamed[k]; !known {
			o.Tail = f.options.Tail
		}
		from := &reader{given: *f.seam(pod, status.Name)}
		if last := from.given.last.Time; !last.IsZero() {
			o.Since, o.Tail = last, nil // goes on where the reading ended
		}
		f.streamed[k] = status.RestartCount
		f.open++
		f.streams.Go(func() { f.stream(ctx, pod, status.Name, o, from) })
	}
}

// stream reads one instance to its end.
func (f *follower) stream(ctx context.Context, pod *corev1.Pod, container string, o kube.LogOptions, from *reader) {
	s, err := open(ctx, f.client, pod, container, o)
	if err == nil {
		defer s.close()
	}
	for err == nil {
		var line Line
		if line, err = s.next(); err == nil {
			f.send(ctx, message{line: line, from: from})
		}
	}
	f.send(ctx, message{from: from}) // it has ended, or could not be read: the Pod is gone
}

func (f *follower) send(ctx context.Context, m message) {
	select {
	case f.messages <- m:
	case <-ctx.Done():
	}
}

// againPause is the time until a watch that a server has ended is begun again.
const againPause = 200 * time.Millisecond

// watch tells of Pods until the run ends, which is no error.
func (f *follower) watch(ctx context.Context, selection Selection) error {
	for began := false; ; began = true {
		for change, err := range kube.Watch[corev1.Pod](ctx, f.client, kube.Pods, selection.Namespace, selection.Options) {
			if apierrors.IsResourceExpired(err) {
				break // all there is comes anew
			}
			if err != nil && (began || ctx.Err() != nil || errors.Is(err, io.EOF)) {
				return nil // nobody answers any more
			}
			if err != nil {
				return err
			}
			f.send(ctx, message{change: &change.Object, what: change.Type})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(againPause):
		}
	}
}
