package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/kube"
)

// establishedTime is how long the server may take to serve a kind that was just defined.
const establishedTime = 30 * time.Second

// servedPause is the time between two tries of an object whose kind was just defined.
const servedPause = 200 * time.Millisecond

// ErrInterrupted says that a deployment was broken off, so that a part of it is applied.
var ErrInterrupted = errors.New("interrupted")

// ErrNotKnown says that nobody knows how it ended: the server was lost, say.
var ErrNotKnown = errors.New("not known")

// Apply carries the plan out, step by step. After an error no other step is begun;
// [Deployment.Entries] tell what is applied and what is not. The error matches [ErrInterrupted] if
// the context was done, [ErrNotKnown] if the server was lost, and is a [*BeforeError] if a Job has
// failed that had to finish first. A request that is in flight when the context ends is waited for.
func (d *Deployment) Apply(ctx context.Context) error {
	defer d.tellInterrupt(ctx)()
	d.begun = d.options.Cluster.Now()
	entries := map[*Object]*Entry{}
	for _, e := range d.Entries {
		entries[e.Object] = e
	}
	written := d.options.Set.Name == ""
	for _, objects := range steps(d.options.Objects) {
		if !written && objects[0].GetKind() != "Namespace" {
			if err := d.writeSet(ctx, d.contents.and(contentsOf(d.options.Objects))); err != nil {
				return err
			}
			written = true
		}
		errs := make([]error, len(objects))
		eachParallel(objects, func(i int, o *Object) { errs[i] = d.applyOne(ctx, entries[o]) })
		if err := errors.Join(errs...); err != nil {
			return err
		}
		if err := d.awaitEstablished(ctx, objects); err != nil {
			return err
		}
		if objects[0].before {
			if err := d.awaitBefore(ctx, objects); err != nil {
				return err
			}
		}
	}
	if !written {
		return d.writeSet(ctx, d.contents.and(contentsOf(d.options.Objects)))
	}
	return nil
}

// tellInterrupt tells people, once the context is done, why nothing ends at once. The function that
// it returns ends that.
func (d *Deployment) tellInterrupt(ctx context.Context) (end func()) {
	var telling sync.WaitGroup
	over := make(chan struct{})
	telling.Go(func() {
		select {
		case <-ctx.Done():
			d.report(Event{Kind: "note", Text: "interrupted: what is sent is waited for, no more is sent"})
		case <-over:
		}
	})
	return func() { close(over); telling.Wait() }
}

// applyOne sends one object, and notes what the server says.
func (d *Deployment) applyOne(ctx context.Context, e *Entry) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	request, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
	defer cancel()
	if err := d.lookAgain(request, e); err != nil {
		return err
	}
	begun := time.Now()
	answer, err := d.send(request, e)
	for d.isEarly(e, err, time.Since(begun)) && request.Err() == nil && ctx.Err() == nil {
		time.Sleep(servedPause) // each server of a cluster learns of a new kind by itself
		if err := d.lookAgain(request, e); err != nil {
			return err
		}
		answer, err = d.send(request, e)
	}
	if err != nil {
		return d.notApplied(e, err)
	}
	e.After = answer.Object
	switch {
	case answer.Created:
		e.Result = Created
	case unchanged(e.Before, e.After):
		e.Result = Unchanged
	default:
		e.Result = Configured
	}
	if e.Planned == nil { // otherwise they were shown with the plan
		for _, text := range e.warnings(answer.Warnings) {
			d.report(Event{Kind: "warning", Object: e.Object, Text: text})
		}
	}
	d.report(Event{Kind: "applied", Object: e.Object, Result: e.Result, Entry: e})
	return nil
}

// send applies an object, after what kubectl has left of it is taken over.
func (d *Deployment) send(ctx context.Context, e *Entry) (kube.Applied, error) {
	if err := d.takeOver(ctx, e); err != nil {
		return kube.Applied{}, err
	}
	return d.apply(ctx, e, kube.ApplyOptions{})
}

// notApplied notes why an object was not applied, or that nobody knows.
func (d *Deployment) notApplied(e *Entry, err error) error {
	if meaningOf(err) == strange {
		e.Result = Unknown
		return fmt.Errorf("%w: %s: %w", ErrNotKnown, e.Object, err)
	}
	e.Result = Refused
	if conflicts := conflictsOf(e.Object, err, e.Before); len(conflicts) > 0 {
		return &ConflictError{conflicts, d.options.Cluster.Now()}
	}
	return explainRefusal(e.Object, err)
}

// awaitEstablished waits until the kinds are served that a step has defined.
func (d *Deployment) awaitEstablished(ctx context.Context, objects []*Object) error {
	for _, o := range objects {
		if o.GetKind() != "CustomResourceDefinition" {
			continue
		}
		waiting, cancel := context.WithTimeoutCause(ctx, establishedTime, errors.New("the server does not serve it"))
		err := kube.Await(waiting, d.options.Cluster.Client, o.At, nil, func(definition *map[string]any) (bool, error) {
			return definition != nil && hasCondition(*definition, "Established"), nil
		})
		late := waiting.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return ErrInterrupted
		case err != nil && !late && meaningOf(err) == strange:
			return fmt.Errorf("%w: whether %s is served: %w", ErrNotKnown, o, err)
		case err != nil:
			return fmt.Errorf("%s: waited %v: %w", o, establishedTime, err)
		}
	}
	return nil
}

// hasCondition reports whether a condition of an object is true.
func hasCondition(object map[string]any, name string) bool {
	conditions, _, _ := unstructured.NestedSlice(object, "status", "conditions")
	for _, condition := range conditions {
		fields, _ := condition.(map[string]any)
		if fields["type"] == name && fields["status"] == "True" {
			return true
		}
	}
	return false
}

// readSet reads what the set had before.
func (d *Deployment) readSet(ctx context.Context) error {
	d.contents = contentsOf(nil)
	set := d.options.Set
	if set.Name == "" {
		return nil
	}
	parent, err := d.read(ctx, kube.Ref{Kind: kube.Secrets, Namespace: set.Namespace, Name: set.parent()})
	switch {
	case meaningOf(err) == forbidden:
		return fmt.Errorf("cannot read what the set %s has: %w: without a set (--no-set) nothing can be pruned later", set.Name, err)
	case err != nil:
		return fmt.Errorf("cannot read what the set %s has: %w", set.Name, err)
	case parent == nil:
		return nil
	}
	d.contents, err = set.read(parent)
	maps.DeleteFunc(d.contents.kinds, func(kind schema.GroupKind, _ bool) bool {
		return d.resources.Gone(kind) // with all of its objects; who reads the set next would look for it in vain
	})
	return err
}

// askSet asks whether the set may be written down, unless its namespace is one of its own objects.
func (d *Deployment) askSet(ctx context.Context) error {
	set := d.options.Set
	if set.Name == "" {
		return nil
	}
	request, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	err := d.sendSet(request, d.contents.and(contentsOf(d.options.Objects)), true)
	if meaningOf(err) == unchecked && d.contains(schema.GroupKind{Kind: "Namespace"}, "", set.Namespace) {
		return nil
	}
	return err
}

// sendSet sends the parent of the set.
func (d *Deployment) sendSet(ctx context.Context, c contents, dryRun bool) error {
	set := d.options.Set
	body, err := json.Marshal(set.write(c).Object)
	if err != nil {
		return err
	}
	at := kube.Ref{Kind: kube.Secrets, Namespace: set.Namespace, Name: set.parent()}
	_, err = d.options.Cluster.Apply(ctx, at, body, kube.ApplyOptions{Manager: Manager, Force: true, DryRun: dryRun})
	if err != nil {
		return fmt.Errorf("cannot write down the set %s (--no-set deploys without): %w", set.Name, err)
	}
	return nil
}

// writeSet writes the parent of the set.
func (d *Deployment) writeSet(ctx context.Context, c contents) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	request, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
	defer cancel()
	if err := d.sendSet(request, c, false); err != nil {
		if meaningOf(err) == strange {
			return fmt.Errorf("%w: %w", ErrNotKnown, err)
		}
		return err
	}
	d.contents = c
	return nil
}
