package apiserver

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// change does what changes objects.
func (c *call) change(verb string) (runtime.Object, int, error) {
	switch verb {
	case "create":
		return c.create()
	case "update":
		return c.update()
	case "patch":
		return c.patch()
	case "delete":
		return c.delete()
	case "deletecollection":
		return c.deleteCollection()
	}
	return nil, 0, methodNotSupported()
}

// newWriteOptions is how a client wants something to be written, and what becomes of fields that
// the kind does not have. The options were checked.
func (c *call) newWriteOptions(manager, validation string, dryRun []string) (w registry.WriteOptions, fieldValidation string) {
	if manager == "" {
		manager, _, _ = strings.Cut(c.r.UserAgent(), "/")
	}
	w = registry.WriteOptions{Manager: cmp.Or(manager, "unknown"), DryRun: len(dryRun) > 0}
	if c.resource.keep != nil {
		w.Version = c.resource.GVK.GroupVersion()
	}
	if c.target.subresource == "scale" {
		w.Subresource = c.target.subresource
	}
	return w, cmp.Or(validation, metav1.FieldValidationWarn)
}

// create adds the object of the body.
func (c *call) create() (runtime.Object, int, error) {
	var options metav1.CreateOptions
	if err := c.parameters(&options); err != nil {
		return nil, 0, err
	}
	if errs := validation.ValidateCreateOptions(&options); len(errs) > 0 {
		return nil, 0, apierrors.NewInvalid(metaKind("CreateOptions").GroupKind(), "", errs)
	}
	w, unknown := c.newWriteOptions(options.FieldManager, options.FieldValidation, options.DryRun)
	o, err := c.decodeObject(unknown)
	if err != nil {
		return nil, 0, err
	}
	if o.GetResourceVersion() != "" {
		return nil, 0, badRequest("resourceVersion should not be set on objects to be created")
	}
	created, err := c.add(o, w)
	return created, http.StatusCreated, err
}

// add stores a new object of the kind that the API shows.
func (c *call) add(o store.Object, w registry.WriteOptions) (store.Object, error) {
	if c.server.opts.Stopping() {
		return nil, stopping(c.resource, o.GetName())
	}
	kept := c.resource.stored(o)
	c.warnAbout(nil, kept)
	created, err := c.server.opts.Registry.CreateObject(kept, w)
	if err != nil {
		return nil, err
	}
	return c.resource.present(created), nil
}

// stopping is the answer to who wants to create something while all is being stopped.
func stopping(r *resource, name string) error {
	err := apierrors.NewServiceUnavailable(fmt.Sprintf("%s %q is not created: the run is being stopped", r.groupResource(), name))
	err.ErrStatus.Details = &metav1.StatusDetails{RetryAfterSeconds: 1}
	return err
}

// newShown makes an empty object of the kind that the API shows, at the place of the request.
func (c *call) newShown() store.Object {
	o := c.resource.present(c.key()).DeepCopyObject().(store.Object)
	o.GetObjectKind().SetGroupVersionKind(c.resource.GVK)
	return o
}

// update replaces an object by that of the body.
func (c *call) update() (runtime.Object, int, error) {
	var options metav1.UpdateOptions
	if err := c.parameters(&options); err != nil {
		return nil, 0, err
	}
	if errs := validation.ValidateUpdateOptions(&options); len(errs) > 0 {
		return nil, 0, apierrors.NewInvalid(metaKind("UpdateOptions").GroupKind(), "", errs)
	}
	w, unknown := c.newWriteOptions(options.FieldManager, options.FieldValidation, options.DryRun)
	o, err := c.decodeObject(unknown)
	if err != nil {
		return nil, 0, err
	}
	if err := checkNumber(o.GetResourceVersion()); err != nil {
		return nil, 0, err
	}
	kept := c.resource.stored(o)
	w.OrCreate = madeByUpdate(kept) && c.target.subresource == "" && o.GetResourceVersion() == ""
	code := http.StatusOK
	updated, err := c.replace(w, func(current store.Object) (store.Object, error) {
		code = http.StatusOK
		if current.GetUID() == "" {
			code = http.StatusCreated
			return o.DeepCopyObject().(store.Object), nil
		}
		return o.DeepCopyObject().(store.Object), c.server.opts.Store.CheckCurrent(kept)
	})
	return updated, code, err
}

// madeByUpdate reports whether an update of an object that is not there makes it, as a cluster has
// it for a few kinds.
func madeByUpdate(o store.Object) bool {
	switch o.(type) {
	case *corev1.Service, *corev1.Event, *coordinationv1.Lease:
		return true
	}
	return false
}

// replace stores what next makes of the current object, both as the API shows them. It is called
// again if somebody else wrote in between, unless it names a version.
func (c *call) replace(w registry.WriteOptions, next func(current store.Object) (store.Object, error)) (store.Object, error) {
	write := c.server.opts.Registry.ModifyObject
	if c.target.subresource == "status" {
		write = c.server.opts.Registry.ModifyStatus
	}
	first := true
	updated, err := write(c.key(), func(current store.Object) (store.Object, error) {
		shown, known := c.newShown(), current
		if current != nil {
			shown = c.resource.present(current)
		} else if c.server.opts.Stopping() {
			return nil, stopping(c.resource, c.target.name)
		}
		o, err := next(shown)
		if err == nil {
			err = checkNumber(o.GetResourceVersion())
		}
		if err != nil {
			return nil, err
		}
		kept := c.resource.stored(o)
		if first { // a second try says nothing new
			c.warnAbout(known, kept)
			first = false
		}
		return kept, nil
	}, w)
	if err != nil {
		return nil, err
	}
	return c.resource.present(updated), nil
}

// checkNumber refuses a resource version that can be none.
func checkNumber(version string) error {
	if version == "" {
		return nil
	}
	if _, err := strconv.ParseUint(version, 10, 64); err != nil {
		return badRequest(err.Error())
	}
	return nil
}

// methodNotSupported is the API's 405.
func methodNotSupported() error {
	return apierrors.NewGenericServerResponse(http.StatusMethodNotAllowed, "", schema.GroupResource{}, "", "", 0, false)
}
