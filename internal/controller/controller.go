package controller

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// Options of a [Controller].
type Options struct {
	// Store holds the objects. Required. It has to know Kubernetes' kinds and those of [Kinds].
	Store *store.Store
	// Registry takes what is to be made or changed; statuses and deletions go to the store. A Pod
	// that it refuses becomes a FailedCreate Event and is tried again. Required.
	Registry *registry.Registry
	// Logger gets errors that are tried again. Default: nothing is logged.
	Logger *slog.Logger
}

// Kinds are the kinds that a Controller adds to Kubernetes' own of package store: the revisions of
// StatefulSets.
func Kinds() []store.KindDefinition {
	return []store.KindDefinition{{Type: &appsv1.ControllerRevision{}, GVK: appsv1.SchemeGroupVersion.WithKind("ControllerRevision"), Resource: "controllerrevisions"}}
}

// Controller makes Pods and EndpointSlices for the objects of a store. Make it with [New].
type Controller struct {
	opts     Options
	store    *store.Store
	registry *registry.Registry

	// The rest belongs to the goroutine of Run.
	queue queue
	// of Pods, as last seen: who selected them must know when they change
	labels   map[types.UID]map[string]string
	warnings warnings
}

// New makes a controller. It does nothing before [Controller.Run].
func New(opts Options) *Controller {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Controller{opts: opts, store: opts.Store, registry: opts.Registry, queue: newQueue(), labels: map[types.UID]map[string]string{}, warnings: warnings{}}
}

// Run works until the context is done, on the goroutine that calls it; it starts no other. What it
// made stays. Call it once.
func (c *Controller) Run(ctx context.Context) error {
	watched := store.WatchOptions{Kinds: []store.Object{
		&corev1.Service{}, &discoveryv1.EndpointSlice{}, &corev1.Pod{}, &appsv1.Deployment{}, &appsv1.ReplicaSet{}, &appsv1.StatefulSet{},
	}}
	watch, err := c.store.Watch(watched)
	for err == nil {
		err = c.turn(ctx, watch)
		// held up for too long: everything is seen again as it is now
		if apierrors.IsResourceExpired(err) {
			clear(c.labels)
			watch, err = c.store.Watch(watched)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// turn takes in one change, or syncs one object if there is no change to take in. It waits if there
// is nothing to sync either.
func (c *Controller) turn(ctx context.Context, watch *store.Watch) error {
	wait, cancel := context.WithDeadline(ctx, c.queue.next(time.Now()))
	defer cancel()
	change, err := watch.Next(wait)
	switch {
	case err == nil:
		c.enqueue(change)
		return nil
	case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
		return err
	}
	if k, ok := c.queue.take(time.Now()); ok {
		c.sync(k)
	}
	return nil
}

// sync brings one object up to date. Whatever fails is tried again, later each time.
func (c *Controller) sync(k key) {
	var again time.Time
	var err error
	switch k.kind {
	case kindService:
		again, err = c.syncService(k.namespace, k.name)
	case kindReplicaSet:
		again, err = c.syncReplicaSet(k.namespace, k.name)
	case kindStatefulSet:
		again, err = c.syncStatefulSet(k.namespace, k.name)
	case kindDeployment:
		again, err = c.syncDeployment(k.namespace, k.name)
	}
	if err == nil {
		c.queue.done(k, again)
		return
	}
	retry := c.queue.failed(k, time.Now())
	level := slog.LevelError
	if overtaken(err) {
		level = slog.LevelDebug // that change made the object due anyway
	}
	c.opts.Logger.Log(context.Background(), level, "Cannot bring the object up to date; it is tried again", "kind", k.kind.String(),
		"namespace", k.namespace, "name", k.name, "retry", retry, "error", err)
}

// overtaken reports whether an error means only that somebody else was faster: changed or deleted
// the object, or is ending its namespace. Of several errors, each must.
func overtaken(err error) bool {
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(err error) bool { return !overtaken(err) })
	case interface{ Unwrap() error }:
		return overtaken(e.Unwrap())
	}
	return apierrors.IsConflict(err) || apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}
