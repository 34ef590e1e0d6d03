package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// Change is one of a watch: what happened to an object, and how that is now.
type Change[T any] struct {
	Type   watch.EventType
	Object T
}

// Follow gives the changes of objects of a kind: first each one that there is as ADDED, unless the
// options name a version. When the server ends the watch, which servers do from time to time and
// when they stop, it goes on where it was, until the context is done. What the server tells without
// a change, that time has passed, is taken and not given.
//
// With trouble nil the server is one that ends, such as a run: once nobody answers any more, so
// does Follow, without an error. Otherwise it is one that lasts, such as a cluster's: it is asked
// again, ever more rarely, and trouble is called with why it is not heard, for each time, and with
// nil whenever a watch has begun; what it refuses is an error. An error for which [IsExpired] holds
// says that changes were missed, and all has to be watched anew.
func Follow[T any](ctx context.Context, c *Client, kind Kind, namespace string, options metav1.ListOptions, trouble func(error)) iter.Seq2[Change[T], error] {
	return func(yield func(Change[T], error) bool) {
		f := following{client: c, kind: kind, namespace: namespace, options: options, trouble: trouble}
		f.run(ctx, func(what watch.EventType, object json.RawMessage, err error) (version string, ok bool) {
			change := Change[T]{Type: what}
			if err == nil {
				err = decodeWatched(object, &change.Object)
			}
			if o, is := any(&change.Object).(metav1.Object); is && err == nil {
				version = o.GetResourceVersion()
			}
			if what == watch.Bookmark && err == nil {
				return version, true
			}
			return version, yield(change, err) && err == nil
		})
	}
}

// IsExpired reports whether an error says that the server has not kept the changes since a version.
func IsExpired(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }

// following is a [Follow] of objects in JSON. What does not depend on their type is here, so that
// it is in the program once.
type following struct {
	client    *Client
	kind      Kind
	namespace string
	options   metav1.ListOptions
	trouble   func(error)
}

// run gives what is watched, each with a function that tells the version and whether to go on.
func (f *following) run(ctx context.Context, tell func(watch.EventType, json.RawMessage, error) (string, bool)) {
	f.options.AllowWatchBookmarks = true // else the version of what is silent for long expires
	pause := againPause
	for began := false; ; began = true {
		heard, enough, err := f.once(ctx, tell)
		switch {
		case enough || ctx.Err() != nil:
			return
		case err != nil && f.trouble == nil && began && apierrors.ReasonForError(err) == metav1.StatusReasonUnknown:
			return // it is gone, or what was told before says so
		case err != nil && (f.trouble == nil || isFinal(err)):
			tell("", nil, err)
			return
		case err != nil:
			f.trouble(err)
		}
		if heard {
			pause = againPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		if f.trouble != nil {
			pause = min(2*pause, maxAgainPause)
		}
	}
}

// once watches until the server ends that. heard reports whether it told something, enough whether
// the one who hears it wants no more.
func (f *following) once(ctx context.Context, tell func(watch.EventType, json.RawMessage, error) (string, bool)) (heard, enough bool, failure error) {
	response, err := f.client.openWatch(ctx, f.kind, f.namespace, f.options)
	if err != nil {
		return false, false, err
	}
	if f.trouble != nil {
		f.trouble(nil)
	}
	readWatch(ctx, response, func(what watch.EventType, object json.RawMessage, err error) bool {
		if err != nil {
			failure = err
			return false
		}
		version, ok := tell(what, object, nil)
		if version != "" {
			f.options.ResourceVersion = version
		}
		heard, enough = true, !ok
		return ok
	})
	if f.trouble != nil {
		failure = ended(failure)
	}
	return heard, enough, failure
}

// ended is why the watch of a server that lasts has ended; nil if it is to be begun again. That a
// connection breaks off is no error: whether the server is away, the next try shows.
func ended(failure error) error {
	_, told := errors.AsType[*apierrors.StatusError](failure)
	_, own := errors.AsType[*doneError](failure)
	if !told && !own && !isFinal(failure) {
		return nil
	}
	return failure
}

// isFinal reports whether asking again is in vain: a server that lasts has refused, or does not
// speak the protocol.
func isFinal(err error) bool {
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok {
		code := status.ErrStatus.Code
		return IsExpired(err) || code >= http.StatusBadRequest && code < http.StatusInternalServerError && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests
	}
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	return syntax || kind
}

func decodeWatched(object json.RawMessage, into any) error {
	if err := json.Unmarshal(object, into); err != nil {
		return fmt.Errorf("cannot read what the server watches: %w", err)
	}
	return nil
}

// watch gives the changes of a kind as JSON until the server ends that or yield wants no more.
func (c *Client) watch(ctx context.Context, kind Kind, namespace string, options metav1.ListOptions, yield func(watch.EventType, json.RawMessage, error) bool) {
	response, err := c.openWatch(ctx, kind, namespace, options)
	if err != nil {
		yield("", nil, err)
		return
	}
	readWatch(ctx, response, yield)
}

// openWatch begins a watch, which [readWatch] reads and ends.
func (c *Client) openWatch(ctx context.Context, kind Kind, namespace string, options metav1.ListOptions) (*http.Response, error) {
	query := listQuery(options)
	query.Set("watch", "true")
	if options.AllowWatchBookmarks {
		query.Set("allowWatchBookmarks", "true")
	}
	response, err := c.send(ctx, http.MethodGet, kind.path(namespace), query, "", nil)
	return response, denied("watch", kind, namespace, err)
}

func readWatch(ctx context.Context, response *http.Response, yield func(watch.EventType, json.RawMessage, error) bool) {
	defer response.Body.Close() // it was only read
	readChanges(ctx, response.Body, maxChange, yield)
}

// readChanges reads changes of so many bytes each at most.
func readChanges(ctx context.Context, from io.Reader, most int64, yield func(watch.EventType, json.RawMessage, error) bool) {
	body := &bounded{from: from}
	for lines := json.NewDecoder(body); ; {
		body.left = most
		what, object, err := readChange(lines)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && ctx.Err() == nil {
			return
		}
		if !yield(what, object, err) || err != nil {
			return
		}
	}
}

// readChange reads one line of a watch.
func readChange(lines *json.Decoder) (watch.EventType, json.RawMessage, error) {
	var line struct {
		Type   watch.EventType `json:"type"`
		Object json.RawMessage `json:"object"`
	}
	if err := lines.Decode(&line); err != nil {
		return "", nil, err
	}
	if line.Type != watch.Error {
		return line.Type, line.Object, nil
	}
	var status metav1.Status
	if err := json.Unmarshal(line.Object, &status); err != nil {
		return "", nil, fmt.Errorf("cannot read why the server ends a watch: %w", err)
	}
	return "", nil, apierrors.FromObject(&status)
}
