package store

import (
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// owners is the index of who owns what, so that a deletion need not go through all objects. The
// store's lock guards it.
type owners struct {
	objects    map[types.UID]typedObject
	dependants map[types.UID][]types.UID // by owner, whether that exists or not
}

// typedObject is the newest snapshot of an object, and its Go type.
type typedObject struct {
	t reflect.Type
	o Object
}

func newOwners() owners {
	return owners{objects: map[types.UID]typedObject{}, dependants: map[types.UID][]types.UID{}}
}

// link notes the new state of an object.
func (w owners) link(t reflect.Type, o Object) {
	uid := o.GetUID()
	old, refs := w.objects[uid], o.GetOwnerReferences()
	w.objects[uid] = typedObject{t, o}
	if old.o != nil && slices.EqualFunc(old.o.GetOwnerReferences(), refs, func(a, b metav1.OwnerReference) bool { return a.UID == b.UID }) {
		return
	}
	if old.o != nil {
		w.forget(uid, old.o.GetOwnerReferences())
	}
	for _, ref := range refs {
		w.dependants[ref.UID] = append(w.dependants[ref.UID], uid)
	}
}

// unlink notes that an object is gone.
func (w owners) unlink(uid types.UID) {
	if old, ok := w.objects[uid]; ok {
		delete(w.objects, uid)
		w.forget(uid, old.o.GetOwnerReferences())
	}
}

func (w owners) forget(uid types.UID, refs []metav1.OwnerReference) {
	for _, ref := range refs {
		left := slices.DeleteFunc(w.dependants[ref.UID], func(d types.UID) bool { return d == uid })
		if w.dependants[ref.UID] = left; len(left) == 0 {
			delete(w.dependants, ref.UID)
		}
	}
}

// of returns the objects that refer to an owner, oldest reference first. They may change while one
// goes through them.
func (w owners) of(owner types.UID) []types.UID { return slices.Clone(w.dependants[owner]) }

// isGone reports whether an owner is certain to be gone. Nobody can know that of a kind that is not
// registered.
func (s *Store) isGone(ref metav1.OwnerReference) bool {
	if _, ok := s.owners.objects[ref.UID]; ok {
		return false
	}
	kind := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
	for _, k := range s.kinds {
		if k.GVK.GroupKind() == kind {
			return true
		}
	}
	return false
}

// collect deletes what lost its last owner.
func (s *Store) collect(owner types.UID) {
	for _, uid := range s.owners.of(owner) {
		s.collectOne(uid)
	}
}

// collectOne deletes an object whose owners are all gone, or are deleted in the foreground; Pods
// get their grace period. If some stay, it takes the references to the others out.
func (s *Store) collectOne(uid types.UID) {
	current, ok := s.owners.objects[uid]
	if !ok {
		return // a deletion further up took it already
	}
	var left []metav1.OwnerReference
	waiting := false
	refs := current.o.GetOwnerReferences()
	for _, ref := range refs {
		owner, exists := s.owners.objects[ref.UID]
		switch {
		case exists && isForeground(owner.o):
			waiting = true
		case exists || !s.isGone(ref):
			left = append(left, ref)
		}
	}
	switch {
	case len(left) == len(refs):
	case len(left) > 0:
		s.setOwners(current, left)
	case current.o.GetDeletionTimestamp() == nil:
		s.deleteDependant(current, waiting)
	}
}

// orphan takes an owner out of the references to it.
func (s *Store) orphan(owner types.UID) {
	for _, uid := range s.owners.of(owner) {
		current, ok := s.owners.objects[uid]
		if !ok {
			continue // it went with one before it
		}
		s.setOwners(current, slices.DeleteFunc(slices.Clone(current.o.GetOwnerReferences()), func(r metav1.OwnerReference) bool { return r.UID == owner }))
	}
}

func (s *Store) setOwners(current typedObject, refs []metav1.OwnerReference) {
	next := current.o.DeepCopyObject().(Object)
	next.SetOwnerReferences(refs)
	s.put(current.t, next, Modified)
}
