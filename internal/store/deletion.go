package store

import (
	"fmt"
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
	// Grace of a Pod, in seconds. Nil means the Pod's terminationGracePeriodSeconds; a negative one
	// counts as 1 (R166). Other kinds have none.
	Grace *int64
	// UID, if not empty, must be the object's; else the error is the API's Conflict.
	UID types.UID
	// ResourceVersion, if not empty, must be the object's; else the error is the API's Conflict.
	ResourceVersion string
	// Propagation says what becomes of what the object owns. Background deletes it when the object
	// is gone. Foreground deletes it first, and the object when nothing is left that blocks its
	// owner's deletion. Orphan keeps it. Default: Background, unless the object itself has the
	// finalizer foregroundDeletion or orphan.
	Propagation metav1.DeletionPropagation
	// DryRun makes all checks and deletes nothing.
	DryRun bool
}

// Delete begins or finishes the deletion of an object; the package comment says how. The error is
// the API's NotFound or Conflict.
func Delete[T Object](s *Store, namespace, name string, opts DeleteOptions) error {
	_, _, err := s.deleteKey(reflect.TypeFor[T](), types.NamespacedName{Namespace: namespace, Name: name}, opts)
	return err
}

// deleteKey returns the object's last state, and whether it is gone.
func (s *Store) deleteKey(t reflect.Type, key types.NamespacedName, opts DeleteOptions) (last Object, gone bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, err := get[Object](s, t, key)
	if err != nil {
		return nil, false, err
	}
	if opts.UID != "" && opts.UID != current.GetUID() {
		return nil, false, apierrors.NewConflict(s.kind(t).named(), key.Name, errUID(opts.UID, current.GetUID()))
	}
	if v := opts.ResourceVersion; v != "" && v != current.GetResourceVersion() {
		return nil, false, apierrors.NewConflict(s.kind(t).named(), key.Name, errPrecondition("ResourceVersion", v, current.GetResourceVersion(), "modified"))
	}
	if opts.DryRun {
		last, gone = s.deleted(current, opts)
		return last, gone, nil
	}
	s.delete(t, current, opts)
	if left, ok := s.owners.objects[current.GetUID()]; ok {
		return left.o, false, nil
	}
	return current, true, nil
}

// delete removes an object, or marks it deleted if its grace period or a finalizer keeps it. If
// that is meant to orphan what it owns, it does so first.
func (s *Store) delete(t reflect.Type, current Object, opts DeleteOptions) {
	if orphans(current, opts.Propagation) {
		s.orphan(current.GetUID())
		now, ok := s.owners.objects[current.GetUID()]
		if !ok {
			return // it waited for nothing but what it owned
		}
		current = now.o
	}
	next, gone := s.deleted(current, opts)
	switch {
	case gone:
		s.remove(t, current)
	case next != current:
		s.put(t, next, Modified)
		if isForeground(next) {
			s.collect(next.GetUID())
			s.finishForeground([]types.UID{next.GetUID()})
		}
		if isHeld(next) {
			s.emptyNamespace(next.GetName())
		}
	}
}

// deleted returns what a deletion makes of an object: nothing that stays, another state, or the one
// it has if it is being deleted already. A deletion time counts from the first deletion, as in
// Kubernetes.
func (s *Store) deleted(current Object, opts DeleteOptions) (next Object, gone bool) {
	grace, finalizers := graceOf(current, opts.Grace), finalizersOf(current, opts.Propagation)
	if grace == 0 && len(finalizers) == 0 && !isHeld(current) {
		return current, true
	}
	requested, before := s.opts.Now(), current.GetDeletionGracePeriodSeconds()
	if before != nil && *before <= grace && slices.Equal(finalizers, current.GetFinalizers()) {
		return current, false
	}
	if before != nil {
		requested = current.GetDeletionTimestamp().Add(-time.Duration(*before) * time.Second)
	}
	next = current.DeepCopyObject().(Object)
	next.SetFinalizers(finalizers)
	at := metav1.NewTime(requested.Add(time.Duration(grace) * time.Second).Truncate(time.Second))
	next.SetDeletionTimestamp(&at)
	next.SetDeletionGracePeriodSeconds(&grace)
	if current.GetDeletionTimestamp() == nil && current.GetGeneration() > 0 {
		next.SetGeneration(current.GetGeneration() + 1)
	}
	if namespace, ok := next.(*corev1.Namespace); ok {
		namespace.Status.Phase = corev1.NamespaceTerminating
	}
	return next, false
}

// graceOf is the grace period that a deletion gives an object: none, but for a Pod that may still
// run. A deletion that is under way can only be shortened (R162), and only by one that says so.
func graceOf(o Object, asked *int64) int64 {
	if before := o.GetDeletionGracePeriodSeconds(); before != nil {
		if asked == nil {
			return *before
		}
		return min(*before, atLeastOne(*asked))
	}
	pod, ok := o.(*corev1.Pod)
	if !ok || pod.Spec.NodeName == "" || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return 0
	}
	switch {
	case asked != nil:
		return atLeastOne(*asked)
	case pod.Spec.TerminationGracePeriodSeconds != nil:
		return atLeastOne(*pod.Spec.TerminationGracePeriodSeconds)
	}
	return corev1.DefaultTerminationGracePeriodSeconds
}

// atLeastOne turns a negative grace period into 1 (R166). Zero stays: it means now.
func atLeastOne(grace int64) int64 {
	if grace < 0 {
		return 1
	}
	return grace
}

func errUID(want, have types.UID) error {
	return errPrecondition("UID", string(want), string(have), "deleted and then recreated")
}

// errPrecondition has Kubernetes' text.
func errPrecondition(what, want, have, suspicion string) error {
	return fmt.Errorf("the %[1]s in the precondition (%[2]s) does not match the %[1]s in record (%[3]s). The object might have been %[4]s", what, want, have, suspicion)
}
