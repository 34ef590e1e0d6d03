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
func Await[T any](ctx context.Context, c *Client, at Ref, done func(*T) (bool, error)) error {
	return c.await(ctx, at, func(object json.RawMessage) (bool, error) {
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

// await is [Await] of an object in JSON.
func (c *Client) await(ctx context.Context, at Ref, done func(json.RawMessage) (bool, error)) error {
	for {
		options := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", at.Name).String()}
		var list struct {
			Metadata metav1.ListMeta   `json:"metadata"`
			Items    []json.RawMessage `json:"items"`
		}
		if err := c.List(ctx, at.Kind, at.Namespace, options, &list); err != nil {
			return awaited(ctx, err)
		}
		var now json.RawMessage
		if len(list.Items) > 0 {
			now = list.Items[0]
		}
		if met, err := done(now); met || err != nil {
			return err
		}
		options.ResourceVersion = list.Metadata.ResourceVersion
		if met, err := c.awaitChange(ctx, at, options, done); met || err != nil {
			return awaited(ctx, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(againPause):
		}
	}
}

// awaitChange watches one object as [Await] does. Without met the watch has ended.
func (c *Client) awaitChange(ctx context.Context, at Ref, options metav1.ListOptions, done func(json.RawMessage) (bool, error)) (met bool, err error) {
	c.watch(ctx, at.Kind, at.Namespace, options, func(what watch.EventType, object json.RawMessage, failure error) bool {
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
		return !met && err == nil
	})
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

// AwaitGone waits until an object is gone, or another one has its name.
func (c *Client) AwaitGone(ctx context.Context, at Ref, uid types.UID) error {
	err := Await(ctx, c, at, func(o *metav1.PartialObjectMetadata) (bool, error) {
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
