package apiserver

import (
	"fmt"
	"net/http"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// scaleKind is what a workload's scale is read and written as.
func scaleKind() schema.GroupVersionKind { return autoscalingv1.SchemeGroupVersion.WithKind("Scale") }

// scale reads or writes the number of replicas of a workload.
func (c *call) scale(verb string) (runtime.Object, int, error) {
	if verb == "get" {
		stored, err := c.server.opts.Store.GetObject(c.key())
		if err != nil {
			return nil, 0, err
		}
		scale, err := scaleOf(stored)
		return scale, http.StatusOK, err
	}
	w, next, err := c.nextScale(verb)
	if err != nil {
		return nil, 0, err
	}
	updated, err := c.replace(w, next)
	if err != nil {
		return nil, 0, err
	}
	scale, err := scaleOf(updated)
	return scale, http.StatusOK, err
}

// nextScale is what a write makes of the workload.
func (c *call) nextScale(verb string) (w registry.WriteOptions, next func(store.Object) (store.Object, error), err error) {
	if verb == "update" {
		var options metav1.UpdateOptions
		if err := c.parameters(&options); err != nil {
			return w, nil, err
		}
		if errs := validation.ValidateUpdateOptions(&options); len(errs) > 0 {
			return w, nil, apierrors.NewInvalid(metaKind("UpdateOptions").GroupKind(), "", errs)
		}
		w, unknown := c.newWriteOptions(options.FieldManager, options.FieldValidation, options.DryRun)
		o, err := c.decode(scaleKind(), unknown)
		if err != nil {
			return w, nil, err
		}
		return w, func(current store.Object) (store.Object, error) { return c.scaledTo(current, o.(*autoscalingv1.Scale)) }, nil
	}
	var options metav1.PatchOptions
	if err := c.parameters(&options); err != nil {
		return w, nil, err
	}
	kind := types.PatchType(contentType(c.r))
	if errs := validation.ValidatePatchOptions(&options, kind); len(errs) > 0 {
		return w, nil, apierrors.NewInvalid(metaKind("PatchOptions").GroupKind(), "", errs)
	}
	w, unknown := c.newWriteOptions(options.FieldManager, options.FieldValidation, options.DryRun)
	text, err := c.body()
	if err != nil {
		return w, nil, err
	}
	if kind == types.ApplyYAMLPatchType {
		w.Applied = true
		next, err = c.appliedScale(text, w, options.Force != nil && *options.Force)
		return w, next, err
	}
	like := &autoscalingv1.Scale{}
	like.SetGroupVersionKind(scaleKind())
	change, err := c.newPatch(kind, text, like, unknown)
	if err != nil {
		return w, nil, err
	}
	return w, func(current store.Object) (store.Object, error) { return c.patchedScale(current, change) }, nil
}

// patchedScale is a workload whose Scale was patched.
func (c *call) patchedScale(current store.Object, change patch) (store.Object, error) {
	scale, err := scaleOf(current)
	if err != nil {
		return nil, err
	}
	next, err := change(scale)
	if err != nil {
		return nil, err
	}
	return c.scaledTo(current, next.(*autoscalingv1.Scale))
}

// appliedScale applies a Scale as the one field of the workload that it stands for.
func (c *call) appliedScale(text []byte, w registry.WriteOptions, force bool) (func(store.Object) (store.Object, error), error) {
	scale := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal(text, &scale.Object); err != nil {
		return nil, badRequest(fmt.Sprintf("error decoding YAML: %v", err))
	}
	if kind := scale.GroupVersionKind(); kind != scaleKind() {
		return nil, badRequest(fmt.Sprintf("invalid object type: %v", kind))
	}
	if err := c.server.opts.Fields.check(scale); err != nil {
		return nil, err
	}
	if scale.GetName() == "" {
		scale.SetName(c.target.name)
	}
	if err := c.place(scale); err != nil {
		return nil, err
	}
	applied := &unstructured.Unstructured{Object: map[string]any{}}
	if replicas, found, _ := unstructured.NestedFieldNoCopy(scale.Object, "spec", "replicas"); found && replicas != nil {
		applied.Object["spec"] = map[string]any{"replicas": replicas}
	}
	applied.SetResourceVersion(scale.GetResourceVersion())
	applied.SetGroupVersionKind(c.resource.GVK)
	applied.SetName(c.target.name)
	applied.SetNamespace(c.target.namespace)
	return func(current store.Object) (store.Object, error) {
		return c.server.opts.Fields.apply(part{c.resource.GVK, c.target.subresource}, current, applied, w.Manager, force)
	}, nil
}

// scaledTo is a workload with the number of replicas of a Scale.
func (c *call) scaledTo(current store.Object, scale *autoscalingv1.Scale) (store.Object, error) {
	if err := c.place(scale); err != nil {
		return nil, err
	}
	if scale.Spec.Replicas < 0 {
		return nil, apierrors.NewInvalid(scaleKind().GroupKind(), scale.Name, field.ErrorList{
			field.Invalid(field.NewPath("spec", "replicas"), scale.Spec.Replicas, "must be greater than or equal to 0").WithOrigin("minimum"),
		})
	}
	next := current.DeepCopyObject().(store.Object)
	next.SetResourceVersion(scale.ResourceVersion)
	replicas, _, _ := scaled(next)
	*replicas = &scale.Spec.Replicas
	return next, nil
}

// scaleOf is the number of replicas of a workload, as a Scale.
func scaleOf(o store.Object) (*autoscalingv1.Scale, error) {
	scale := &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{
			Name: o.GetName(), Namespace: o.GetNamespace(), UID: o.GetUID(), ResourceVersion: o.GetResourceVersion(), CreationTimestamp: o.GetCreationTimestamp(),
		},
	}
	scale.SetGroupVersionKind(scaleKind())
	replicas, actual, selects := scaled(o)
	if *replicas != nil {
		scale.Spec.Replicas = **replicas
	}
	selector, err := metav1.LabelSelectorAsSelector(selects)
	if err != nil {
		return nil, fmt.Errorf("cannot read the selector of %s: %w", o.GetName(), err)
	}
	scale.Status = autoscalingv1.ScaleStatus{Replicas: actual, Selector: selector.String()}
	return scale, nil
}

// scaled is where a workload says how many replicas it wants, how many it has, and whom it selects.
func scaled(o store.Object) (replicas **int32, actual int32, selector *metav1.LabelSelector) {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Replicas, o.Status.Replicas, o.Spec.Selector
	case *appsv1.ReplicaSet:
		return &o.Spec.Replicas, o.Status.Replicas, o.Spec.Selector
	case *appsv1.StatefulSet:
		return &o.Spec.Replicas, o.Status.Replicas, o.Spec.Selector
	}
	panic(fmt.Sprintf("apiserver: a %T has no scale", o)) // the table of resources says who has one
}
