package apiserver

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/store"
)

const (
	// minWatchTime is the shortest time of a watch for which its client names none; the longest is
	// twice that. So clients that came together do not return together.
	minWatchTime = 30 * time.Minute
	// maxSeconds is the longest time in seconds that a client can ask for: a hundred years.
	maxSeconds = 100 * 365 * 24 * 3600
	// bookmarkPeriod is how often a watch that takes bookmarks gets one.
	bookmarkPeriod = time.Minute
)

// watch streams the changes of a resource until the client leaves, its time is over, or the server
// ends. An error comes before anything is sent.
func (c *call) watch(options *metav1.ListOptions) error {
	options.Watch = true
	if errs := validation.ValidateListOptions(internalOptions(options), true); len(errs) > 0 {
		return invalidOptions(errs)
	}
	selector, err := c.selector(options)
	if err != nil {
		return err
	}
	from, err := c.watchFrom(options)
	if err != nil {
		return err
	}
	if g := c.server.opts.Guard; g != nil {
		release, ok := g.AcquireWatch(c.w, c.r)
		if !ok {
			return nil // it was answered
		}
		defer release()
	}
	stream, err := c.newEventStream()
	if err != nil {
		return err
	}
	duration := minWatchTime + rand.N(minWatchTime)
	if options.TimeoutSeconds != nil && *options.TimeoutSeconds > 0 {
		duration = time.Duration(min(*options.TimeoutSeconds, maxSeconds)) * time.Second
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), duration)
	defer cancel()
	changes, err := c.server.opts.Store.Watch(store.WatchOptions{From: from, Kinds: []store.Object{c.resource.empty()}, Selector: selector})
	switch {
	case apierrors.IsResourceExpired(err): // as on a cluster, the stream tells it
		stream.start()
		stream.fail(err)
		return nil
	case err != nil:
		return err
	}
	stream.start()
	w := watcher{call: c, changes: changes, stream: stream, bookmarks: options.AllowWatchBookmarks}
	if options.SendInitialEvents != nil && *options.SendInitialEvents {
		w.initial = true
	}
	w.run(ctx)
	return nil
}

// watchFrom is the version that a watch begins at: "" for all that there is now, and then what
// changes.
func (c *call) watchFrom(options *metav1.ListOptions) (string, error) {
	version := options.ResourceVersion
	if version == "0" {
		version = ""
	}
	if options.SendInitialEvents == nil {
		return version, nil
	}
	if version != "" {
		if err := c.server.opts.Store.CheckVersion(version); err != nil {
			return "", err
		}
	}
	if *options.SendInitialEvents {
		return "", nil
	}
	return cmp.Or(version, c.server.opts.Store.Version()), nil
}

// watcher carries the changes of a store to one client. It reads them from the store's history when
// the client has taken the last one: who reads slowly holds up nobody and takes no memory.
type watcher struct {
	call      *call
	changes   *store.Watch
	stream    *eventStream
	initial   bool // the end of the objects that there were is still to be told
	bookmarks bool
}

// run ends when the context is done, the client takes nothing any more, or the watch fell behind.
func (w *watcher) run(ctx context.Context) {
	next := time.Now().Add(bookmarkPeriod)
	for {
		if w.initial && w.changes.Initial() == 0 {
			w.initial = false
			if !w.bookmark(map[string]string{metav1.InitialEventsAnnotationKey: "true"}) {
				return
			}
		}
		change, err := w.nextUntil(ctx, next)
		switch {
		case ctx.Err() != nil:
			return
		case err == context.DeadlineExceeded: // of the bookmark
			next = next.Add(bookmarkPeriod)
			if w.bookmarks && !w.bookmark(nil) {
				return
			}
		case err != nil:
			w.stream.fail(err)
			return
		default:
			if !w.stream.send(change.Type, w.call.resource.present(change.Object)) {
				return
			}
		}
	}
}

// nextUntil is the next change, or context.DeadlineExceeded if there was none until an instant.
func (w *watcher) nextUntil(ctx context.Context, at time.Time) (store.Change, error) {
	ctx, cancel := context.WithDeadline(ctx, at)
	defer cancel()
	return w.changes.Next(ctx)
}

// bookmark tells the client up to which version it has seen everything.
func (w *watcher) bookmark(annotations map[string]string) bool {
	mark := w.call.resource.empty()
	mark = w.call.resource.present(mark)
	mark.GetObjectKind().SetGroupVersionKind(w.call.resource.GVK)
	mark.SetResourceVersion(w.changes.Version())
	mark.SetAnnotations(annotations)
	return w.stream.send(watch.Bookmark, mark)
}

// eventStream writes the events of one watch. It belongs to the goroutine of its request.
type eventStream struct {
	call    *call
	frames  io.Writer // an event a Write
	out     *http.ResponseController
	columns bool // the columns of a Table have been sent
}

func (c *call) newEventStream() (*eventStream, error) {
	if c.format.StreamSerializer == nil {
		c.format = c.server.defaultFormat()
		return nil, notAcceptable(streamable(c.server.codecs))
	}
	return &eventStream{call: c, frames: c.format.StreamSerializer.Framer.NewFrameWriter(c.w), out: http.NewResponseController(c.w)}, nil
}

// start sends the head, so that the client knows that the watch has begun.
func (s *eventStream) start() {
	mediaType := s.call.format.MediaType
	if !s.call.format.EncodesAsText {
		mediaType += ";stream=watch"
	}
	s.call.w.Header().Set("Content-Type", mediaType)
	s.call.w.WriteHeader(http.StatusOK)
	_ = s.flush() // who has left is noticed by the first event
}

// fail tells the client why the watch ends.
func (s *eventStream) fail(err error) {
	status := statusOf(err)
	s.send(watch.Error, &status)
}

// send writes one event. It returns false if the client has not taken it.
func (s *eventStream) send(kind watch.EventType, o runtime.Object) bool {
	event, err := s.encode(kind, o)
	if err != nil {
		s.call.server.opts.Logger.Error("Cannot encode an event of a watch", "resource", s.call.target.resource, "error", err)
		return false
	}
	if s.out.SetWriteDeadline(time.Now().Add(s.call.server.opts.WriteTime)) != nil {
		return false
	}
	if _, err := s.frames.Write(event); err != nil {
		return false
	}
	return s.flush() == nil
}

func (s *eventStream) encode(kind watch.EventType, o runtime.Object) ([]byte, error) {
	shown, err := s.call.shape(o, !s.columns)
	if err != nil {
		return nil, err
	}
	if kind != watch.Error {
		s.columns = true
	}
	var object, event bytes.Buffer
	if err := s.call.format.Serializer.Encode(shown, &object); err != nil {
		return nil, err
	}
	raw := runtime.RawExtension{Raw: bytes.TrimSuffix(object.Bytes(), []byte("\n"))}
	err = s.call.format.StreamSerializer.Encode(&metav1.WatchEvent{Type: string(kind), Object: raw}, &event)
	return event.Bytes(), err
}

// flush sends what is written within the client's time, which then ends: HTTP/2 cuts a stream whose
// time is over also when nothing is being written.
func (s *eventStream) flush() error { return flushWithin(s.out, s.call.server.opts.WriteTime) }

func flushWithin(out *http.ResponseController, d time.Duration) error {
	if err := out.SetWriteDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	return errors.Join(out.Flush(), out.SetWriteDeadline(time.Time{}))
}

// streamable are the media types that a watch can be sent as.
func streamable(all []runtime.SerializerInfo) (some []runtime.SerializerInfo) {
	for _, info := range all {
		if info.StreamSerializer != nil {
			some = append(some, info)
		}
	}
	return some
}
