package dashboard

import (
	"context"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// Manager is the name under which the dashboard owns the fields that it sets.
const Manager = "probity-dashboard"

// Wanted is what an object shall be.
type Wanted struct {
	// Object has its kind and its defaults.
	Object store.Object
	// Written is the object as a person would write it, or what of it is changed: defaults that are
	// not in there get no owner.
	Written map[string]any
}

// Writer writes what a person wants, by a server-side apply of [Manager]. What belongs to others is
// the API's Conflict, with a cause for each field, unless it is forced. It is safe for concurrent
// use.
type Writer interface {
	// Apply changes an object to what change makes of it as it is. change may be called more than
	// once; its error is returned as it is.
	Apply(ctx context.Context, like store.Object, change func(current store.Object) (Wanted, error), force bool) (store.Object, error)
	// Create makes objects; none if it can be told before that one of them is refused.
	Create(ctx context.Context, all ...Wanted) (made []store.Object, err error)
}

// door is the [Writer] of a run.
type door struct {
	registry *registry.Registry
	fields   Fields
}

func (d door) options() registry.WriteOptions {
	return registry.WriteOptions{Manager: Manager, Applied: true}
}

// Apply implements [Writer].
func (d door) Apply(_ context.Context, like store.Object, change func(store.Object) (Wanted, error), force bool) (store.Object, error) {
	kind := like.GetObjectKind().GroupVersionKind()
	return d.registry.ModifyObject(like, func(stored store.Object) (store.Object, error) {
		current := stored.DeepCopyObject().(store.Object)
		current.GetObjectKind().SetGroupVersionKind(kind)
		wanted, err := change(current)
		if err != nil {
			return nil, err
		}
		return d.fields.Change(current, wanted.Object, wanted.Written, Manager, force)
	}, d.options())
}

// Create implements [Writer]. The first object is not tried before: nothing is made if it fails.
func (d door) Create(_ context.Context, all ...Wanted) (made []store.Object, err error) {
	var next []store.Object
	for i, w := range all {
		o, err := d.fields.Change(nil, w.Object, w.Written, Manager, false)
		if err == nil && i > 0 {
			check := d.options()
			check.DryRun = true
			_, err = d.registry.CreateObject(o, check)
		}
		if err != nil {
			return nil, err
		}
		next = append(next, o)
	}
	for _, o := range next {
		created, err := d.registry.CreateObject(o, d.options())
		if err != nil {
			return made, err
		}
		made = append(made, created)
	}
	return made, nil
}
