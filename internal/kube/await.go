package kube

import (
	"context"
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
	for {
		options := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", at.Name).String()}
		var list struct {
			Metadata metav1.ListMeta `json:"metadata"`
			Items    []T             `json:"items"`
		}
		if err := c.List(ctx, at.Kind, at.Namespace, options, &list); err != nil {
			return awaited(ctx, err)
		}
		var now *T
		if len(list.Items) > 0 {
			now = &list.Items[0]
		}
		if met, err := done(now); met || err != nil {
			return err
		}
		options.ResourceVersion = list.Metadata.ResourceVersion
		if met, err := awaitChange(ctx, c, at, options, done); met || err != nil {
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
func awaitChange[T any](ctx context.Context, c *Client, at Ref, options metav1.ListOptions, done func(*T) (bool, error)) (met bool, err error) {
	for change, err := range Watch[T](ctx, c, at.Kind, at.Namespace, options) {
		if apierrors.IsResourceExpired(err) {
			return false, nil // changes were missed: it is read anew
		}
		if err != nil {
			return false, err
		}
		object := &change.Object
		if change.Type == watch.Deleted {
			object = nil
		}
		if met, err := done(object); met || err != nil {
			return met, err
		}
	}
	return false, nil
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
