package kube

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// againPause is the time until a watch that a server has ended is begun again.
const againPause = 200 * time.Millisecond

// Await watches one object until done says that it is as it is wanted; that is called with nil when
// there is none. A watch that the server ends is begun again. The error is that of done, of the
// server, or the cause of a context that is done.
//
// With trouble nil the server is one that ends, such as a run: that it does not answer is an error.
// Otherwise it is one that lasts, such as a cluster's, as in [Follow].
func Await[T any](ctx context.Context, c *Client, at Ref, trouble func(error), done func(*T) (bool, error)) error {
	a := awaiting{client: c, at: at, trouble: trouble}
	return a.run(ctx, func(object json.RawMessage) (bool, error) {
		if object == nil {
			return done(nil)
		}
		now := new(T)
		if err := decodeWatched(object, now); err != nil {
			return false, err
		}
		return done(now)
	})
}

// awaiting is an [Await] of an object in JSON. What does not depend on its type is here, so that it
// is in the program once.
type awaiting struct {
	client  *Client
	at      Ref
	trouble func(error)
}

// run waits until done says so.
func (a *awaiting) run(ctx context.Context, done func(json.RawMessage) (bool, error)) error {
	pause := againPause
	for {
		heard, met, err := a.once(ctx, done)
		own, isOwn := errors.AsType[*doneError](err)
		switch {
		case met:
			return nil
		case isOwn:
			return own.err
		case err != nil && (a.trouble == nil || isFinal(err)):
			return awaited(ctx, err)
		case err != nil && ctx.Err() == nil:
			a.trouble(err)
		}
		if heard {
			pause = againPause
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		if a.trouble != nil {
			pause = min(2*pause, maxAgainPause)
		}
	}
}

// doneError is what somebody says who is asked whether an object is as it is wanted.
type doneError struct{ err error }

func (e *doneError) Error() string { return e.err.Error() }

// once reads the object and watches it until the server ends that. heard reports whether the server
// has answered.
func (a *awaiting) once(ctx context.Context, done func(json.RawMessage) (bool, error)) (heard, met bool, err error) {
	options := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", a.at.Name).String()}
	var list struct {
		Metadata metav1.ListMeta   `json:"metadata"`
		Items    []json.RawMessage `json:"items"`
	}
	if err := a.client.List(ctx, a.at.Kind, a.at.Namespace, options, &list); err != nil {
		return false, false, err
	}
	if a.trouble != nil {
		a.trouble(nil)
	}
	var now json.RawMessage
	if len(list.Items) > 0 {
		now = list.Items[0]
	}
	if met, err := done(now); met || err != nil {
		return true, met, asDone(err)
	}
	options.ResourceVersion = list.Metadata.ResourceVersion
	met, err = a.change(ctx, options, done)
	return true, met, err
}

// asDone marks the error of whoever says whether an object is as it is wanted.
func asDone(err error) error {
	if err == nil {
		return nil
	}
	return &doneError{err}
}

// change watches the object as [Await] does. Without met the watch has ended. That a connection
// breaks off is no error of a server that lasts: whether it is away, the next try shows.
func (a *awaiting) change(ctx context.Context, options metav1.ListOptions, done func(json.RawMessage) (bool, error)) (met bool, err error) {
	a.client.watch(ctx, a.at.Kind, a.at.Namespace, options, func(what watch.EventType, object json.RawMessage, failure error) bool {
		switch {
		case apierrors.IsResourceExpired(failure):
			return false // changes were missed: it is read anew
		case failure != nil:
			err = failure
			return false
		case what == watch.Deleted:
			object = nil
		}
		met, err = done(object)
		err = asDone(err)
		return !met && err == nil
	})
	if a.trouble != nil {
		err = ended(err)
	}
	return met, err
}

// awaited prefers the cause of a context that is done to what a request made of it.
func awaited(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// errReplaced ends the waiting for the end of an object.
var errReplaced = errors.New("another object has its name")

// AwaitGone waits until an object is gone, or another one has its name; trouble is that of [Await].
func (c *Client) AwaitGone(ctx context.Context, at Ref, uid types.UID, trouble func(error)) error {
	err := Await(ctx, c, at, trouble, func(o *metav1.PartialObjectMetadata) (bool, error) {
		if o != nil && o.UID != uid {
			return false, errReplaced
		}
		return o == nil, nil
	})
	if errors.Is(err, errReplaced) {
		return nil
	}
	return err
}
