package apiserver

import (
	"cmp"
	"net/http"

	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
)

// serveSubresource does what is asked of a part of an object.
func (c *call) serveSubresource(verb string) (runtime.Object, int, error) {
	switch c.target.subresource {
	case "status":
		if verb == "get" {
			o, err := c.get()
			return o, http.StatusOK, err
		}
		return c.change(verb)
	case "scale":
		return c.scale(verb)
	case "eviction":
		return c.evict()
	case "exec":
		return nil, 0, c.exec()
	case "attach":
		return nil, 0, c.attach()
	case "portforward":
		return nil, 0, c.forward()
	case "log":
		return nil, 0, c.log()
	case "attempts":
		return nil, 0, c.attempts()
	}
	return nil, 0, apierrors.NewNotFound(c.resource.groupResource(), c.target.name)
}

// evict deletes a Pod as an eviction asks for it. There are no PodDisruptionBudgets here that could
// refuse it.
func (c *call) evict() (runtime.Object, int, error) {
	var asked metav1.CreateOptions
	if err := c.parameters(&asked); err != nil {
		return nil, 0, err
	}
	if errs := validation.ValidateCreateOptions(&asked); len(errs) > 0 {
		return nil, 0, apierrors.NewInvalid(metaKind("CreateOptions").GroupKind(), "", errs)
	}
	o, err := c.decode(policyv1.SchemeGroupVersion.WithKind("Eviction"), metav1.FieldValidationWarn)
	if err != nil {
		return nil, 0, err
	}
	eviction := o.(*policyv1.Eviction)
	eviction.Name = cmp.Or(eviction.Name, c.target.name)
	if eviction.Name != c.target.name {
		return nil, 0, badRequest("name in URL does not match name in Eviction object")
	}
	if err := c.place(eviction); err != nil {
		return nil, 0, err
	}
	if eviction.DeleteOptions == nil {
		eviction.DeleteOptions = &metav1.DeleteOptions{}
	}
	if len(asked.DryRun) > 0 {
		eviction.DeleteOptions.DryRun = asked.DryRun
	}
	if _, _, err := c.remove(c.key(), *eviction.DeleteOptions); err != nil {
		return nil, 0, err
	}
	return &metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusSuccess}, http.StatusCreated, nil
}
