package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

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
		query := listQuery(options)
		query.Set("watch", "true")
		response, err := c.send(ctx, http.MethodGet, kind.path(namespace), query, "", nil)
		if err != nil {
			yield(Change[T]{}, err)
			return
		}
		defer response.Body.Close() // it was only read
		for lines := json.NewDecoder(response.Body); ; {
			change, err := readChange[T](lines)
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && ctx.Err() == nil {
				return
			}
			if !yield(change, err) || err != nil {
				return
			}
		}
	}
}

// readChange reads one line of a watch.
func readChange[T any](lines *json.Decoder) (change Change[T], err error) {
	var line struct {
		Type   watch.EventType `json:"type"`
		Object json.RawMessage `json:"object"`
	}
	if err := lines.Decode(&line); err != nil {
		return change, err
	}
	if line.Type == watch.Error {
		var status metav1.Status
		if err := json.Unmarshal(line.Object, &status); err != nil {
			return change, fmt.Errorf("cannot read why the server ends a watch: %w", err)
		}
		return change, apierrors.FromObject(&status)
	}
	change.Type = line.Type
	if err := json.Unmarshal(line.Object, &change.Object); err != nil {
		return change, fmt.Errorf("cannot read what the server watches: %w", err)
	}
	return change, nil
}
