package store

import (
	"reflect"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// DeleteOptions say how an object is deleted.
type DeleteOptions struct {
	// Grace of a Pod, in seconds. Nil means the Pod's terminationGracePeriodSeconds; a negative one counts as 1 (R166). Other kinds have none.
	Grace *int64
	// UID, if not empty, must be the object's; else the error is the API's Conflict.
	UID types.UID
	// Orphan keeps what the object owns.
	Orphan bool
}

// Delete begins or finishes the deletion of an object; the package comment says how. The error is the API's NotFound or Conflict.
func Delete[T Object](s *Store, namespace, name string, opts DeleteOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, err := get[T](s, types.NamespacedName{Namespace: namespace, Name: name})
	if err != nil {
		return err
	}
	t := reflect.TypeFor[T]()
	if opts.UID != "" && opts.UID != current.GetUID() {
		return apierrors.NewConflict(s.kind(t).resource(), name, errUID(opts.UID, current.GetUID()))
	}
	if opts.Orphan {
		s.orphan(current.GetUID())
	}
	grace := graceOf(current, opts.Grace)
	if grace == 0 && len(current.GetFinalizers()) == 0 {
		s.remove(t, current)
		return nil
	}
	s.markDeleted(t, current, grace)
	return nil
}

// graceOf is the grace period that a deletion gives an object: none, but for a Pod that may still run.
func graceOf(o Object, asked *int64) int64 {
	pod, ok := o.(*corev1.Pod)
	if !ok || pod.Spec.NodeName == "" || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return 0
	}
	switch {
	case asked != nil && *asked < 0:
		return 1
	case asked != nil:
		return *asked
	case pod.Spec.TerminationGracePeriodSeconds != nil:
		return *pod.Spec.TerminationGracePeriodSeconds
	}
	return corev1.DefaultTerminationGracePeriodSeconds
}

// markDeleted sets the deletion time, or brings it forward.
func (s *Store) markDeleted(t reflect.Type, current Object, grace int64) {
	if before := current.GetDeletionGracePeriodSeconds(); before != nil && *before <= grace {
		return
	}
	next := current.DeepCopyObject().(Object)
	at := metav1.NewTime(s.opts.Now().Add(time.Duration(grace) * time.Second).Truncate(time.Second))
	next.SetDeletionTimestamp(&at)
	next.SetDeletionGracePeriodSeconds(&grace)
	if current.GetDeletionTimestamp() == nil {
		next.SetGeneration(current.GetGeneration() + 1)
	}
	s.put(t, next, Modified)
}

// collect removes the objects whose last owner just went. Pods get their grace period.
func (s *Store) collect(owner types.UID) {
	for t, o := range s.owned(owner) {
		left := slices.DeleteFunc(slices.Clone(o.GetOwnerReferences()), func(r metav1.OwnerReference) bool { return r.UID == owner })
		if len(left) > 0 {
			next := o.DeepCopyObject().(Object)
			next.SetOwnerReferences(left)
			s.put(t, next, Modified)
			continue
		}
		if grace := graceOf(o, nil); grace > 0 || len(o.GetFinalizers()) > 0 {
			s.markDeleted(t, o, grace)
			continue
		}
		s.remove(t, o)
	}
}

// orphan takes an owner out of the references to it.
func (s *Store) orphan(owner types.UID) {
	for t, o := range s.owned(owner) {
		next := o.DeepCopyObject().(Object)
		next.SetOwnerReferences(slices.DeleteFunc(next.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner }))
		s.put(t, next, Modified)
	}
}

// owned yields the objects that refer to an owner. It collects them first, so the store may be changed meanwhile.
func (s *Store) owned(owner types.UID) func(yield func(reflect.Type, Object) bool) {
	var found []Object
	for _, o := range s.snapshot() {
		if slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner }) {
			found = append(found, o)
		}
	}
	return func(yield func(reflect.Type, Object) bool) {
		for _, o := range found {
			if !yield(reflect.TypeOf(o), o) {
				return
			}
		}
	}
}
