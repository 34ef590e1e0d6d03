package store

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A foreground deletion leaves an object in place, with a finalizer, until what it owns and what
// blocks its owner's deletion is gone.

// finalizersOf are the finalizers that an object has once it is deleted. Whether what it owns goes
// first is one of them; orphan is none any more, because its work is done then.
func finalizersOf(o Object, propagation metav1.DeletionPropagation) []string {
	has := slices.Contains(o.GetFinalizers(), metav1.FinalizerDeleteDependents)
	foreground := propagation == metav1.DeletePropagationForeground || propagation == "" && has
	finalizers := slices.DeleteFunc(slices.Clone(o.GetFinalizers()), func(f string) bool {
		return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents && !foreground
	})
	if foreground && !has {
		finalizers = append(finalizers, metav1.FinalizerDeleteDependents)
	}
	return finalizers
}

// orphans reports whether a deletion lets go what an object owns: the object's own finalizer counts
// unless the deletion says something else.
func orphans(o Object, propagation metav1.DeletionPropagation) bool {
	return propagation == metav1.DeletePropagationOrphan || propagation == "" && slices.Contains(o.GetFinalizers(), metav1.FinalizerOrphanDependents)
}

// isForeground reports whether an object waits for the end of what it owns.
func isForeground(o Object) bool {
	return o.GetDeletionTimestamp() != nil && slices.Contains(o.GetFinalizers(), metav1.FinalizerDeleteDependents)
}

// blockedOwners are the owners whose foreground deletion waits for an object.
func blockedOwners(o Object) (owners []types.UID) {
	for _, ref := range o.GetOwnerReferences() {
		if ref.BlockOwnerDeletion != nil && *ref.BlockOwnerDeletion {
			owners = append(owners, ref.UID)
		}
	}
	return owners
}

// finishForeground ends the foreground deletion of those owners for which nothing is left to wait.
func (s *Store) finishForeground(owners []types.UID) {
	for _, uid := range owners {
		owner, ok := s.owners.objects[uid]
		if !ok || !isForeground(owner.o) || s.isBlocked(uid) {
			continue
		}
		next := owner.o.DeepCopyObject().(Object)
		next.SetFinalizers(finalizersOf(next, metav1.DeletePropagationBackground))
		s.settle(owner.t, next)
	}
}

func (s *Store) isBlocked(owner types.UID) bool {
	return slices.ContainsFunc(s.owners.of(owner), func(uid types.UID) bool {
		return slices.Contains(blockedOwners(s.owners.objects[uid].o), owner)
	})
}

// deleteDependant deletes an object whose last owners are gone or wait for it. If it owns something
// itself, that goes first as well.
func (s *Store) deleteDependant(dependant typedObject, waiting bool) {
	uid := dependant.o.GetUID()
	owned := s.owners.of(uid)
	if !waiting || len(owned) == 0 {
		s.delete(dependant.t, dependant.o, DeleteOptions{})
		return
	}
	// two that own each other would wait for each other for ever
	circle := slices.ContainsFunc(owned, func(uid types.UID) bool { return isForeground(s.owners.objects[uid].o) })
	if circle {
		refs := slices.Clone(dependant.o.GetOwnerReferences())
		for i := range refs {
			refs[i].BlockOwnerDeletion = new(false)
		}
		s.setOwners(dependant, refs)
		if dependant, circle = s.owners.objects[uid]; !circle {
			return // that was all its owner waited for
		}
	}
	s.delete(dependant.t, dependant.o, DeleteOptions{Propagation: metav1.DeletePropagationForeground})
}
