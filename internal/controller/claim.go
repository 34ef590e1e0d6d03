package controller

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// claim lists what an owner owns. What matches its selector and has no owner is adopted if fits
// says so; what matches no more is let go.
func claim[T store.Object](c *Controller, owner store.Object, selector *metav1.LabelSelector, fits func(T) bool) ([]T, error) {
	matches, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil, fmt.Errorf("cannot read the selector of %s: %w", owner.GetName(), err)
	}
	var owned []T
	all, _ := store.List[T](c.store, store.Selector{Namespace: owner.GetNamespace()})
	for _, o := range all {
		has := !matches.Empty() && matches.Matches(labels.Set(o.GetLabels()))
		ref := metav1.GetControllerOfNoCopy(o)
		switch {
		case ref == nil && has && fits(o) && o.GetDeletionTimestamp() == nil && owner.GetDeletionTimestamp() == nil:
			if o, err = adopt(c, owner, o); err != nil {
				return nil, err
			}
			owned = append(owned, o)
		case ref != nil && ref.UID == owner.GetUID() && (has || owner.GetDeletionTimestamp() != nil):
			owned = append(owned, o)
		case ref != nil && ref.UID == owner.GetUID():
			if err := release(c, owner, o); err != nil {
				return nil, err
			}
		}
	}
	return owned, nil
}

func adopt[T store.Object](c *Controller, owner store.Object, o T) (T, error) {
	next := o.DeepCopyObject().(T)
	next.SetOwnerReferences(append(next.GetOwnerReferences(), controllerRef(owner)))
	next, err := registry.Update(c.registry, next)
	if err != nil {
		return next, fmt.Errorf("cannot adopt %s: %w", o.GetName(), err)
	}
	return next, nil
}

func release[T store.Object](c *Controller, owner store.Object, o T) error {
	next := o.DeepCopyObject().(T)
	next.SetOwnerReferences(slices.DeleteFunc(next.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner.GetUID() }))
	if _, err := registry.Update(c.registry, next); err != nil {
		return fmt.Errorf("cannot let go of %s: %w", o.GetName(), err)
	}
	return nil
}

func controllerRef(owner store.Object) metav1.OwnerReference {
	return *metav1.NewControllerRef(owner, owner.GetObjectKind().GroupVersionKind())
}
