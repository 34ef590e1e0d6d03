package registry

import (
	"errors"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/store"
)

// DeleteObject begins or finishes the deletion of the object of like's kind, namespace and name, as
// a client asks for it; package store says how. It returns the object as it is now, or as it was
// last if it is gone. The error is the API's Invalid if the options are wrong, NotFound, Conflict,
// or Forbidden for a Namespace that has to stay.
func (r *Registry) DeleteObject(like store.Object, opts metav1.DeleteOptions) (last store.Object, gone bool, err error) {
	if errs := metavalidation.ValidateDeleteOptions(&opts); len(errs) > 0 {
		return nil, false, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "DeleteOptions"}, "", errs)
	}
	if isProtected(like) {
		if _, err := r.opts.Store.GetObject(like); err != nil {
			return nil, false, err
		}
		return nil, false, apierrors.NewForbidden(corev1.Resource("namespaces"), like.GetName(), errors.New("this namespace may not be deleted"))
	}
	return r.opts.Store.DeleteObject(like, deletion(opts))
}

// isProtected reports whether an object is one of the Namespaces that every cluster has.
func isProtected(o store.Object) bool {
	namespace, ok := o.(*corev1.Namespace)
	return ok && (namespace.Name == metav1.NamespaceDefault || strings.HasPrefix(namespace.Name, "kube-"))
}

// deletion is what a client asks for in the store's terms.
func deletion(opts metav1.DeleteOptions) store.DeleteOptions {
	asked := store.DeleteOptions{Grace: opts.GracePeriodSeconds, DryRun: slices.Contains(opts.DryRun, metav1.DryRunAll)}
	if p := opts.Preconditions; p != nil && p.UID != nil {
		asked.UID = *p.UID
	}
	if p := opts.Preconditions; p != nil && p.ResourceVersion != nil {
		asked.ResourceVersion = *p.ResourceVersion
	}
	//lint:ignore SA1019 old clients say it so
	switch orphan := opts.OrphanDependents; {
	case opts.PropagationPolicy != nil:
		asked.Propagation = *opts.PropagationPolicy
	case orphan != nil && *orphan:
		asked.Propagation = metav1.DeletePropagationOrphan
	case orphan != nil:
		asked.Propagation = metav1.DeletePropagationBackground
	}
	return asked
}
