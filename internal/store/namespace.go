package store

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// A Namespace whose spec has finalizers is deleted last: all that is in it goes first, and nothing
// new gets in. Events do not count, and go with it.

// isHeld reports whether an object is a Namespace that stays until it is empty.
func isHeld(o Object) bool {
	namespace, ok := o.(*corev1.Namespace)
	return ok && len(namespace.Spec.Finalizers) > 0
}

// terminating returns the Namespace of that name if it is being deleted.
func (s *Store) terminating(name string) (namespace *corev1.Namespace, ok bool) {
	o, ok := s.objects[reflect.TypeFor[*corev1.Namespace]()][types.NamespacedName{Name: name}]
	if !ok || o.GetDeletionTimestamp() == nil {
		return nil, false
	}
	return o.(*corev1.Namespace), true
}

// CheckNamespace returns the error with which an API server refuses a new object because of its
// Namespace: NotFound if that is not there, Forbidden if it is being deleted. What is in none can
// always be made.
func (s *Store) CheckNamespace(o Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checkNamespace(o, true)
}

// checkNamespace lets an object into a Namespace that is not there unless it is required.
func (s *Store) checkNamespace(o Object, required bool) error {
	name := o.GetNamespace()
	if name == "" {
		return nil
	}
	if _, ok := s.terminating(name); ok {
		return errTerminating(s.kind(reflect.TypeOf(o)).resource(), cmp.Or(o.GetName(), o.GetGenerateName()), name)
	}
	if !required {
		return nil
	}
	_, err := get[*corev1.Namespace](s, reflect.TypeFor[*corev1.Namespace](), types.NamespacedName{Name: name})
	return err
}

// errTerminating has Kubernetes' text.
func errTerminating(resource schema.GroupResource, name, namespace string) error {
	err := apierrors.NewForbidden(resource, name, fmt.Errorf("unable to create new content in namespace %s because it is being terminated", namespace))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
		Type: corev1.NamespaceTerminatingCause, Message: fmt.Sprintf("namespace %s is being terminated", namespace), Field: "metadata.namespace",
	})
	return err
}

// emptyNamespace deletes what is in a Namespace.
func (s *Store) emptyNamespace(name string) {
	for _, o := range s.contentOf(name) {
		// what it was owned by may have taken it along
		if current, ok := s.owners.objects[o.GetUID()]; ok && current.o.GetDeletionTimestamp() == nil {
			s.delete(current.t, current.o, DeleteOptions{Propagation: metav1.DeletePropagationBackground})
		}
	}
	s.finishNamespace(name)
}

func (s *Store) contentOf(namespace string) []Object {
	return s.matching(func(o Object) bool { return o.GetNamespace() == namespace })
}

// finishNamespace removes a Namespace that is being deleted, if nothing is left in it.
func (s *Store) finishNamespace(name string) {
	namespace, ok := s.terminating(name)
	if !ok || !isHeld(namespace) {
		return
	}
	content := s.contentOf(name)
	isEvent := func(o Object) bool { _, ok := o.(*corev1.Event); return ok }
	if !slices.ContainsFunc(content, func(o Object) bool { return !isEvent(o) }) {
		for _, event := range content {
			s.drop(reflect.TypeOf(event), event)
		}
		next := namespace.DeepCopy()
		next.Spec.Finalizers = slices.DeleteFunc(next.Spec.Finalizers, func(f corev1.FinalizerName) bool { return f == corev1.FinalizerKubernetes })
		s.settle(reflect.TypeFor[*corev1.Namespace](), next)
	}
}
