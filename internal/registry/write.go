package registry

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// WriteOptions say how an object is created or changed. The zero value is how Probity's own parts
// do it.
type WriteOptions struct {
	// DryRun makes all checks and returns what would have been stored, but stores nothing.
	DryRun bool
	// Manager is the name of the client, to which the fields that it sets belong from then on; see
	// [Options].ManagedFields. Default: nobody's name; managed fields stay as they are.
	Manager string
	// Applied says that the object comes with the managed fields that it shall have, as a
	// server-side apply makes them.
	Applied bool
	// Subresource is the part of the object through which the client writes, if that is to be told
	// apart among the managed fields: scale. Default: the object itself.
	Subresource string
	// Version is the group and version in which the client writes, where the store keeps the object
	// in another one: events.k8s.io/v1. Default: the one of the store.
	Version schema.GroupVersion
	// OrCreate makes a change of an object that is not there its creation. On a cluster every
	// server-side apply does it, and a PUT of a Service, an Event or a Lease.
	OrCreate bool
}

// store are the options for the store, with what else is to be.
func (o WriteOptions) store(others ...store.WriteOption) []store.WriteOption {
	if o.DryRun {
		others = append(others, store.DryRun)
	}
	return others
}

// tries is how often a change is tried while others write, too: once, and five times again.
const tries = 1 + 5

// CreateObject adds a copy of an object, with its defaults, free of what only a server sets; a Pod
// is bound to the node, a Service gets its address. The error is what Admit says of a Pod, or the
// API's: NotFound or Forbidden because of its Namespace, Invalid with all that is wrong, or
// AlreadyExists, in this order.
func (r *Registry) CreateObject(object store.Object, opts WriteOptions) (store.Object, error) {
	next := object.DeepCopyObject().(store.Object)
	manifest.PrepareForCreate(next)
	manifest.Default(next)
	if err := r.opts.Store.CheckNamespace(next); err != nil {
		return nil, err
	}
	next.SetManagedFields(object.GetManagedFields())
	r.setFields(nil, next, "", opts) // before others than the client add to the object
	if pod, ok := next.(*corev1.Pod); ok {
		r.Bind(pod)
	}
	if err := r.invalid(next, manifest.ValidateAs(opts.Version, nil, next)); err != nil {
		return nil, err
	}
	if service, ok := next.(*corev1.Service); ok && !opts.DryRun { // an address that was given stays given
		r.giveAddress(service, nil)
	}
	if pod, ok := next.(*corev1.Pod); ok && r.opts.Admit != nil {
		r.admitting.Lock()
		defer r.admitting.Unlock()
		if err := r.opts.Admit(pod); err != nil {
			return nil, err
		}
	}
	created, err := store.Create(r.opts.Store, next, opts.store(store.InNamespace)...)
	if err != nil {
		return nil, err
	}
	return created, nil
}

// UpdateObject replaces an object by a copy of another one, with its defaults; the status stays. If
// that carries a resource version or a UID it must be the current one; without a resource version
// it replaces whatever there is. The error is the API's NotFound, Conflict, or Invalid with all
// that is wrong, also with what cannot be changed.
func (r *Registry) UpdateObject(object store.Object, opts WriteOptions) (store.Object, error) {
	return r.ModifyObject(object, func(current store.Object) (store.Object, error) {
		if current != nil {
			if err := r.opts.Store.CheckCurrent(object); err != nil {
				return nil, err
			}
		}
		return object.DeepCopyObject().(store.Object), nil
	}, opts)
}

// Change returns what an object shall be, for [Registry.ModifyObject]. It gets the object as it is,
// which it must not modify, or nil if there is none and that is to be created; what it returns is
// of the same type, and the registry's from then on. It is called again, with the newer state, when
// somebody else writes at the same time, unless what it returned carries a resource version of its
// own. It may use the store.
type Change func(current store.Object) (store.Object, error)

// ModifyObject changes the object of like's kind, namespace and name, as a patch does: like
// UpdateObject, but what the object becomes depends on what it is. The error is also that of the
// change.
func (r *Registry) ModifyObject(like store.Object, change Change, opts WriteOptions) (store.Object, error) {
	return r.modify(like, change, opts, r.update)
}

// ModifyStatus changes the status of an object, and nothing else of it. A kind without a status
// panics.
func (r *Registry) ModifyStatus(like store.Object, change Change, opts WriteOptions) (store.Object, error) {
	opts.OrCreate = false
	return r.modify(like, change, opts, r.updateStatus)
}

// UpdateStatus is UpdateObject for the status alone. A kind without a status panics.
func (r *Registry) UpdateStatus(object store.Object, opts WriteOptions) (store.Object, error) {
	return r.ModifyStatus(object, func(store.Object) (store.Object, error) {
		return object.DeepCopyObject().(store.Object), r.opts.Store.CheckCurrent(object)
	}, opts)
}

// modify writes what was made of and checked against the current state only as long as that is the
// current one.
func (r *Registry) modify(like store.Object, change Change, opts WriteOptions, write func(current, next store.Object, opts WriteOptions) (store.Object, error)) (updated store.Object, err error) {
	for range tries {
		current, getErr := r.opts.Store.GetObject(like)
		create := apierrors.IsNotFound(getErr) && opts.OrCreate
		if getErr != nil && !create {
			return nil, getErr
		}
		next, changeErr := change(current)
		switch {
		case changeErr != nil:
			return nil, changeErr
		case create:
			if updated, err = r.CreateObject(next, opts); !apierrors.IsAlreadyExists(err) {
				return updated, err
			}
			continue
		case next.GetResourceVersion() == "":
			next.SetResourceVersion(current.GetResourceVersion())
		case next.GetResourceVersion() != current.GetResourceVersion():
			if err := r.opts.Store.CheckCurrent(next); err != nil {
				return nil, err // before all that may be wrong as well
			}
			continue // it has become the current one meanwhile
		}
		if updated, err = write(current, next, opts); !apierrors.IsConflict(err) {
			break
		}
	}
	return updated, err
}

// update stores the new state of an object but its status.
func (r *Registry) update(current, next store.Object, opts WriteOptions) (store.Object, error) {
	if next.GetNamespace() == "" {
		next.SetNamespace(current.GetNamespace())
	}
	manifest.Default(next)
	r.setFields(current, next, opts.Subresource, opts)
	if service, ok := next.(*corev1.Service); ok {
		r.giveAddress(service, current.(*corev1.Service))
	}
	manifest.PrepareForUpdate(current, next)
	if err := r.invalid(next, manifest.ValidateAs(opts.Version, current, next)); err != nil {
		return nil, err
	}
	return r.stored(next, opts, store.KeepStatus)
}

// updateStatus stores the status of the changed object alone.
func (r *Registry) updateStatus(current, changed store.Object, opts WriteOptions) (store.Object, error) {
	next := current.DeepCopyObject().(store.Object)
	manifest.DefaultStatus(changed)
	if !store.SetStatus(next, changed) {
		panic("registry: a " + r.opts.Store.Kind(current).GVK.Kind + " has no status")
	}
	next.SetManagedFields(changed.GetManagedFields())
	r.setFields(current, next, "status", opts)
	if err := r.invalid(next, manifest.ValidateStatusUpdate(current, next)); err != nil {
		return nil, err
	}
	return r.stored(next, opts)
}

// stored is the object as the store has it after an update; nil if that was refused.
func (r *Registry) stored(next store.Object, opts WriteOptions, others ...store.WriteOption) (store.Object, error) {
	updated, err := store.Update(r.opts.Store, next, opts.store(others...)...)
	if err != nil {
		return nil, err
	}
	return updated, nil
}

func (r *Registry) invalid(object store.Object, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(r.opts.Store.Kind(object).GVK.GroupKind(), object.GetName(), errs)
}
