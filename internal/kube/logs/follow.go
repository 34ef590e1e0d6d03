package logs

import (
	"context"
	"errors"
	"fmt"
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
	// Trouble, if not nil, says that the server outlives what it ends, as a cluster's does: it is
	// asked again until the context is done. Trouble is called with why it is not heard, and with
	// nil whenever it is, from one goroutine.
	Trouble func(error)
}

// message is what the goroutines of a follower tell the one that prints.
type message struct {
	line   Line
	from   *reader         // who read the line, or is at its end, which is a message without a Pod
	gone   bool            // with the end: its Pod is not there any more
	change *corev1.Pod     // a Pod that there is
	what   watch.EventType // what happened to it
	err    error           // why no more can be followed
}

// Follow goes on after [Reader.Read] with what is printed, also by Pods that come later, until the
// run ends, the one Pod is gone, or the context is done. Every goroutine is joined.
func (r *Reader) Follow(ctx context.Context, selection Selection) error {
	ctx, cancel := context.WithCancel(ctx)
	f := &follower{Reader: r, lasts: selection.Trouble != nil, messages: make(chan message), containers: map[key]*container{}}
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
	lasts      bool // the server outlives what it ends
	messages   chan message
	streams    sync.WaitGroup
	containers map[key]*container
	open       int  // how many instances are being read
	over       bool // nothing new will come
}

// container is one whose instances are read, one after the other.
type container struct {
	pod  *corev1.Pod // as it was seen last
	seen int32       // how many restarts there were before the newest instance
	read int32       // the same of the one that is read, or was read last; -1 if none was
	open bool        // whether one is being read
	gone bool        // whether its Pod is
	// pause is how long the next try waits of an instance whose log has ended although it runs.
	pause time.Duration
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
	case m.err != nil:
		return m.err
	case m.from == nil:
		f.onPod(ctx, m.what, m.change)
		f.over = f.over || one && (m.what == watch.Deleted || hasEnded(m.change))
	case m.line.Pod == nil:
		c := f.containers[m.from.of]
		f.open--
		c.open, c.gone = false, c.gone || m.gone
		f.readNext(ctx, m.from.of)
		f.readOn(ctx, m.from.of)
	case m.from.isNew(m.line):
		f.containers[m.from.of].pause = againPause
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
		for k, c := range f.containers {
			c.gone = c.gone || k.pod == pod.UID
		}
		return
	}
	wanted := f.wanted(pod)
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		ran := status.State.Running != nil || status.State.Terminated != nil || status.LastTerminationState.Terminated != nil
		if !ran || !slices.Contains(wanted, status.Name) {
			continue
		}
		k := key{pod.UID, status.Name}
		c := f.containers[k]
		if c == nil {
			c = &container{read: -1, pause: againPause}
			f.containers[k] = c
		}
		c.pod, c.seen = pod, status.RestartCount
		f.readNext(ctx, k)
	}
}

// readNext begins to read the newest instance of a container, unless that was read or another is
// not at its end.
func (f *follower) readNext(ctx context.Context, k key) {
	c := f.containers[k]
	if c.open || c.read >= c.seen {
		return
	}
	given := *f.seam(c.pod, k.container)
	newest := kube.LogOptions{Follow: true, Since: f.options.Since}
	if c.read < 0 {
		newest.Tail = f.options.Tail
	}
	if last := given.last.Time; !last.IsZero() {
		newest.Since, newest.Tail = last, nil // goes on where the reading ended
	}
	var requests []kube.LogOptions
	if known := max(c.read, given.restarts); known >= 0 && known < c.seen {
		// what the instance before has printed since it was read, or all of one that nobody saw
		requests = append(requests, kube.LogOptions{Previous: true, Since: newest.Since})
		newest.Tail = nil
	}
	c.read = c.seen
	f.begin(ctx, k, 0, append(requests, newest)...)
}

// againPause and maxPause are how long the pause is, at first and at most, until a log is read on.
const (
	againPause = 200 * time.Millisecond
	maxPause   = 5 * time.Second
)

// readOn reads on what has broken off: with a server that lasts, a log can end before its instance.
func (f *follower) readOn(ctx context.Context, k key) {
	c := f.containers[k]
	if !f.lasts || f.over || c.open || c.gone || !isRunning(c.pod, k.container) {
		return
	}
	o := kube.LogOptions{Follow: true, Since: f.options.Since}
	if last := f.seam(c.pod, k.container).last.Time; !last.IsZero() {
		o.Since = last
	}
	pause := c.pause
	c.pause = min(2*pause, maxPause)
	f.begin(ctx, k, pause, o)
}

func isRunning(pod *corev1.Pod, container string) bool {
	return slices.ContainsFunc(slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses), func(s corev1.ContainerStatus) bool {
		return s.Name == container && s.State.Running != nil
	})
}

// begin begins to read logs of a container, one after the other, after a pause.
func (f *follower) begin(ctx context.Context, k key, pause time.Duration, requests ...kube.LogOptions) {
	c := f.containers[k]
	c.open = true
	f.open++
	from, pod := &reader{given: *f.seam(c.pod, k.container), of: k}, c.pod
	f.streams.Go(func() {
		if pause > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
		gone := false
		for _, o := range requests {
			gone = apierrors.IsNotFound(f.stream(ctx, pod, o, from))
		}
		f.send(ctx, message{from: from, gone: gone})
	})
}

// stream reads a log to its end, and returns why it cannot be begun. One that cannot be read is at
// its end: the Pod is gone, or nothing is left of the instance before. But a run that lets nobody
// follow any more is an error: lines would be missing.
func (f *follower) stream(ctx context.Context, pod *corev1.Pod, o kube.LogOptions, from *reader) error {
	s, err := open(ctx, f.client, pod, from.of.container, o)
	if apierrors.IsTooManyRequests(err) && !f.lasts {
		f.send(ctx, message{err: fmt.Errorf("cannot follow the log of %s: %w", kube.RefTo(pod), err)})
	}
	if err != nil {
		return err
	}
	defer s.close()
	for err == nil {
		var line Line
		if line, err = s.next(); err == nil && !line.Time.IsZero() { // else a node says that it has no log
			f.send(ctx, message{line: line, from: from})
		}
	}
	return nil
}

func (f *follower) send(ctx context.Context, m message) {
	select {
	case f.messages <- m:
	case <-ctx.Done():
	}
}

// watch tells of Pods until the run ends, which is no error; of a cluster until the context is
// done.
func (f *follower) watch(ctx context.Context, selection Selection) error {
	for began, again := false, true; again; { // all there is comes anew
		again = false
		for change, err := range kube.Follow[corev1.Pod](ctx, f.client, kube.Pods, selection.Namespace, selection.Options, selection.Trouble) {
			if kube.IsExpired(err) {
				again = true
				break
			}
			if err != nil && selection.Trouble == nil && (began || errors.Is(err, io.EOF)) {
				return nil // nobody answers any more
			}
			if err != nil {
				return err
			}
			began = true
			f.send(ctx, message{change: &change.Object, what: change.Type})
		}
	}
	return nil
}
