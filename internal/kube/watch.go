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

// Watch gives the changes of objects of a kind: first each one that there is as ADDED, unless the
// options name a version. It ends without an error when the server ends it, which servers do from
// time to time and when they stop, and with one when the context is done.
func Watch[T any](ctx context.Context, c *Client, kind Kind, namespace string, options metav1.ListOptions) iter.Seq2[Change[T], error] {
	return func(yield func(Change[T], error) bool) {
		c.watch(ctx, kind, namespace, options, func(what watch.EventType, object json.RawMessage, err error) bool {
			change := Change[T]{Type: what}
			if err == nil {
				err = decodeWatched(object, &change.Object)
			}
			return yield(change, err) && err == nil
		})
	}
}

// Follow is [Watch] that goes on where it was when the server ends it, until nobody answers any
// more or the context is done.
func Follow[T any](ctx context.Context, c *Client, kind Kind, namespace string, options metav1.ListOptions) iter.Seq2[Change[T], error] {
	return func(yield func(Change[T], error) bool) {
		for began := false; ; began = true {
			for change, err := range Watch[T](ctx, c, kind, namespace, options) {
				refused := apierrors.ReasonForError(err) != metav1.StatusReasonUnknown // else it is gone, or what is before it says so
				if err != nil && (began && !refused || ctx.Err() != nil) {
					return
				}
				if o, ok := any(&change.Object).(metav1.Object); ok && err == nil {
					options.ResourceVersion = o.GetResourceVersion()
				}
				if !yield(change, err) || err != nil {
					return
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(againPause):
			}
		}
	}
}

func decodeWatched(object json.RawMessage, into any) error {
	if err := json.Unmarshal(object, into); err != nil {
		return fmt.Errorf("cannot read what the server watches: %w", err)
	}
	return nil
}

// watch is [Watch] of objects in JSON. What does not depend on the type of objects is here, so that
// it is in the program once.
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
	return c.send(ctx, http.MethodGet, kind.path(namespace), query, "", nil)
}

func readWatch(ctx context.Context, response *http.Response, yield func(watch.EventType, json.RawMessage, error) bool) {
	defer response.Body.Close() // it was only read
	for lines := json.NewDecoder(response.Body); ; {
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
