package store

import (
	"fmt"
	"reflect"
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
	// Orphan keeps what the object owns.
	Orphan bool
}

// Delete begins or finishes the deletion of an object; the package comment says how. The error is
// the API's NotFound or Conflict.
func Delete[T Object](s *Store, namespace, name string, opts DeleteOptions) error {
	return s.deleteKey(reflect.TypeFor[T](), types.NamespacedName{Namespace: namespace, Name: name}, opts)
}

func (s *Store) deleteKey(t reflect.Type, key types.NamespacedName, opts DeleteOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, err := get[Object](s, t, key)
	if err != nil {
		return err
	}
	if opts.UID != "" && opts.UID != current.GetUID() {
		return apierrors.NewConflict(s.kind(t).resource(), key.Name, errUID(opts.UID, current.GetUID()))
	}
	if v := opts.ResourceVersion; v != "" && v != current.GetResourceVersion() {
		return apierrors.NewConflict(s.kind(t).resource(), key.Name, errPrecondition("ResourceVersion", v, current.GetResourceVersion(), "modified"))
	}
	if opts.Orphan {
		s.orphan(current.GetUID())
	}
	s.delete(t, current, opts.Grace)
	return nil
}

// delete removes an object, or marks it deleted if its grace period or a finalizer keeps it.
func (s *Store) delete(t reflect.Type, current Object, asked *int64) {
	grace := graceOf(current, asked)
	if grace == 0 && len(current.GetFinalizers()) == 0 {
		s.remove(t, current)
		return
	}
	s.markDeleted(t, current, grace)
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

// markDeleted sets the deletion time, or brings it forward. It counts from the first deletion, as
// in Kubernetes.
func (s *Store) markDeleted(t reflect.Type, current Object, grace int64) {
	requested := s.opts.Now()
	if before := current.GetDeletionGracePeriodSeconds(); before != nil {
		if *before <= grace {
			return
		}
		requested = current.GetDeletionTimestamp().Add(-time.Duration(*before) * time.Second)
	}
	next := current.DeepCopyObject().(Object)
	at := metav1.NewTime(requested.Add(time.Duration(grace) * time.Second).Truncate(time.Second))
	next.SetDeletionTimestamp(&at)
	next.SetDeletionGracePeriodSeconds(&grace)
	if current.GetDeletionTimestamp() == nil && current.GetGeneration() > 0 {
		next.SetGeneration(current.GetGeneration() + 1)
	}
	s.put(t, next, Modified)
}

func errUID(want, have types.UID) error {
	return errPrecondition("UID", string(want), string(have), "deleted and then recreated")
}

// errPrecondition has Kubernetes' text.
func errPrecondition(what, want, have, suspicion string) error {
	return fmt.Errorf("the %[1]s in the precondition (%[2]s) does not match the %[1]s in record (%[3]s). The object might have been %[4]s", what, want, have, suspicion)
}
