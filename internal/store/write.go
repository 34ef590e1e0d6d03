package store

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// WriteOption changes how an object is written.
type WriteOption int

const (
	// DryRun makes all checks and returns what would have been stored, but stores nothing. A new
	// object has no resource version then, and an updated one has the current one.
	DryRun WriteOption = iota + 1
	// KeepStatus makes an update leave the status as it is.
	KeepStatus
	// InNamespace makes a creation fail with the API's NotFound if the object is in a Namespace
	// that is not there. What is observed is noted anyway, so this is not the default.
	InNamespace
)

// Create adds an object: the store gives it a UID, the creation time, and a name from its
// generateName if it has no name. Its deletion time and grace period are cleared. One whose owners
// are all gone is deleted at once. The error is the API's AlreadyExists, Invalid, or Forbidden in a
// namespace that is being deleted.
func Create[T Object](s *Store, object T, opts ...WriteOption) (T, error) {
	next := object.DeepCopyObject().(T)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := reflect.TypeOf(next)
	k := s.kind(t)
	if next.GetName() == "" && next.GetGenerateName() != "" {
		next.SetName(s.freeName(t, next))
	}
	if next.GetName() == "" {
		return next, apierrors.NewInvalid(k.GVK.GroupKind(), "", field.ErrorList{field.Required(field.NewPath("metadata", "name"), "name or generateName is required")})
	}
	if err := s.checkNamespace(next, slices.Contains(opts, InNamespace)); err != nil {
		return next, err
	}
	if existing, exists := s.objects[t][keyOf(next)]; exists {
		return next, errExists(k.resource(), existing)
	}
	next.SetUID(uuid.NewUUID())
	next.SetResourceVersion("")
	next.SetCreationTimestamp(metav1.NewTime(s.opts.Now().Truncate(time.Second)))
	next.SetDeletionTimestamp(nil)
	next.SetDeletionGracePeriodSeconds(nil)
	next.SetGeneration(0)
	if k.Generation != nil {
		next.SetGeneration(1)
	}
	next.GetObjectKind().SetGroupVersionKind(k.GVK)
	if slices.Contains(opts, DryRun) {
		return next, nil
	}
	s.put(t, next, Added)
	s.collectOne(next.GetUID())
	return next, nil
}

// errExists has Kubernetes' text, which tells that one only has to wait.
func errExists(resource schema.GroupResource, existing Object) error {
	err := apierrors.NewAlreadyExists(resource, existing.GetName())
	if existing.GetDeletionTimestamp() != nil {
		err.ErrStatus.Message = "object is being deleted: " + err.ErrStatus.Message
	}
	return err
}

// freeName makes a name that nobody has: the generateName, cut so that the whole is a DNS label,
// and five letters, as Kubernetes does.
func (s *Store) freeName(t reflect.Type, o Object) string {
	const letters, most = 5, 63
	base := o.GetGenerateName()
	base = base[:min(len(base), most-letters)]
	for {
		key := types.NamespacedName{Namespace: o.GetNamespace(), Name: base + rand.String(letters)}
		if _, exists := s.objects[t][key]; !exists {
			return key.Name
		}
	}
}

// Update replaces an object, its status too unless [KeepStatus] is given. If the new one carries a
// resource version or a UID it must be the current one. What changes nothing is no change: it moves
// no resource version, and no watch sees it. The error is the API's NotFound or Conflict.
func Update[T Object](s *Store, object T, opts ...WriteOption) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, err := currentOf(s, object)
	if err != nil {
		return current, err
	}
	next := object.DeepCopyObject().(T)
	if slices.Contains(opts, KeepStatus) {
		SetStatus(next, current.DeepCopyObject().(Object))
	}
	return replace(s, current, next, opts), nil
}

// UpdateStatus is Update for the status alone: it leaves metadata and spec as they are. A kind
// without a status panics, as one that is not registered does.
func UpdateStatus[T Object](s *Store, object T, opts ...WriteOption) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, err := currentOf(s, object)
	if err != nil {
		return current, err
	}
	next := current.DeepCopyObject().(T)
	if !SetStatus(next, object.DeepCopyObject().(Object)) {
		panic("store: a " + reflect.TypeOf(object).String() + " has no status")
	}
	return replace(s, current, next, opts), nil
}

// SetStatus gives an object the status of another one of its type, without a copy. It returns false
// if the type has none.
func SetStatus(o, from Object) bool {
	status := reflect.ValueOf(o).Elem().FieldByName("Status")
	if !status.IsValid() {
		return false
	}
	status.Set(reflect.ValueOf(from).Elem().FieldByName("Status"))
	return true
}

// CheckCurrent returns an error unless an object could replace the one of its kind, namespace and
// name: the API's NotFound if there is none, or Conflict if it carries a resource version or a UID
// and that is not the current one.
func (s *Store) CheckCurrent(o Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := currentOf(s, o)
	return err
}

// currentOf returns the object that another one is to replace, if it is the one that its writer
// knew.
func currentOf[T Object](s *Store, object T) (T, error) {
	t := reflect.TypeOf(object)
	current, err := get[T](s, t, keyOf(object))
	if err != nil {
		return current, err
	}
	if uid := object.GetUID(); uid != "" && uid != current.GetUID() {
		return current, apierrors.NewConflict(s.kind(t).resource(), object.GetName(), errUID(uid, current.GetUID()))
	}
	if v := object.GetResourceVersion(); v != "" && v != current.GetResourceVersion() {
		return current, apierrors.NewConflict(s.kind(t).resource(), object.GetName(), errors.New("the object has been modified; please apply your changes to the latest version and try again"))
	}
	return current, nil
}

// Modify changes an object in one step: change gets a copy of the current state. It must not use
// the store. The error is the API's NotFound, or that of change.
func Modify[T Object](s *Store, namespace, name string, change func(T) error, opts ...WriteOption) (T, error) {
	return modify(s, reflect.TypeFor[T](), types.NamespacedName{Namespace: namespace, Name: name}, change, opts)
}

func modify[T Object](s *Store, t reflect.Type, key types.NamespacedName, change func(T) error, opts []WriteOption) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, err := get[T](s, t, key)
	if err != nil {
		return current, err
	}
	next := current.DeepCopyObject().(T)
	if err := change(next); err != nil {
		return current, err
	}
	return replace(s, current, next, opts), nil
}

// replace writes the new state of an object, unless nothing changed.
func replace[T Object](s *Store, current, next T, opts []WriteOption) T {
	next.SetName(current.GetName())
	next.SetNamespace(current.GetNamespace())
	next.SetUID(current.GetUID())
	next.SetCreationTimestamp(current.GetCreationTimestamp())
	next.SetDeletionTimestamp(current.GetDeletionTimestamp())
	next.SetDeletionGracePeriodSeconds(current.GetDeletionGracePeriodSeconds())
	next.SetResourceVersion(current.GetResourceVersion())
	next.SetGeneration(current.GetGeneration())
	next.GetObjectKind().SetGroupVersionKind(current.GetObjectKind().GroupVersionKind())
	t := reflect.TypeOf(next)
	k := s.kinds[t]
	if k.same(current, next) || sameButForFieldTimes(k, current, next) {
		return current
	}
	if k.Generation != nil && !equality.Semantic.DeepEqual(k.Generation(current), k.Generation(next)) {
		next.SetGeneration(current.GetGeneration() + 1)
	}
	if slices.Contains(opts, DryRun) {
		return next
	}
	s.settle(t, next)
	s.collectOne(next.GetUID())
	return next
}

// sameButForFieldTimes reports whether all that a write changes is when its managed fields were
// written: a client that applies the same again, again and again, changes nothing.
func sameButForFieldTimes(k KindDefinition, current, next Object) bool {
	before, after := current.GetManagedFields(), next.GetManagedFields()
	if len(after) == 0 || len(before) != len(after) {
		return false
	}
	timeless := slices.Clone(after)
	for i := range timeless {
		timeless[i].Time = before[i].Time
	}
	next.SetManagedFields(timeless)
	defer next.SetManagedFields(after)
	return k.same(current, next)
}

// settle stores the new state of an object, or removes it if nothing but its finalizers kept it and
// they are gone.
func (s *Store) settle(t reflect.Type, next Object) {
	if grace := next.GetDeletionGracePeriodSeconds(); grace != nil && *grace == 0 && len(next.GetFinalizers()) == 0 && !isHeld(next) {
		s.remove(t, next)
		return
	}
	s.put(t, next, Modified)
}
