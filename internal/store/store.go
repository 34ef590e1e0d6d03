package store

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Object is a Kubernetes object: a pointer to an API struct, such as *corev1.Pod.
type Object interface {
	metav1.Object
	runtime.Object
}

// KindDefinition defines a kind of objects that a store holds.
type KindDefinition struct {
	// Type is an empty object of the kind.
	Type Object
	// GVK is the kind's name in the API.
	GVK schema.GroupVersionKind
	// Resource is its lower-case plural, such as pods.
	Resource string
	// Equal reports whether a write of the second object over the first one changes nothing.
	// Default: they are semantically deeply equal.
	Equal func(a, b Object) bool
	// History is how many changes of this kind are kept for watches. Default: Options.History.
	History int
}

// Options of a [Store].
type Options struct {
	// Kinds that the store holds. Required: an object of another kind is a mistake of the program
	// and panics.
	Kinds []KindDefinition
	// History is how many changes of each kind are kept for watches, unless the kind says
	// otherwise. Default 2048.
	History int
	// MaxEvents is how many Events are kept in all, and of one object 100; those that occurred last
	// stay. Default 4000.
	MaxEvents int
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// DetectMutations makes [Store.CheckMutations] work. It keeps a copy of every snapshot that
	// there ever was: for tests.
	DetectMutations bool
}

// Store holds objects in memory. Make it with [New]. It is safe for concurrent use and starts no
// goroutine.
type Store struct {
	opts  Options
	kinds map[reflect.Type]KindDefinition

	mu        sync.Mutex // guards the rest
	version   uint64
	objects   map[reflect.Type]map[types.NamespacedName]Object
	owners    owners
	histories map[reflect.Type]*history
	waiting   map[*Watch]chan struct{} // closed by the next change that concerns the watch
	events    eventLog
	eventTime int64      // in the name of the newest of them, in ns
	snapshots []snapshot // only to detect mutations
}

// firstVersion is the resource version of an empty store. It is not 0, which means "any" where a
// watch starts.
const firstVersion = 1

// New makes an empty store.
func New(opts Options) *Store {
	if opts.History == 0 {
		opts.History = 2048
	}
	if opts.MaxEvents == 0 {
		opts.MaxEvents = 4000
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Store{
		opts: opts, kinds: map[reflect.Type]KindDefinition{}, version: firstVersion,
		objects: map[reflect.Type]map[types.NamespacedName]Object{}, owners: newOwners(),
		histories: map[reflect.Type]*history{}, waiting: map[*Watch]chan struct{}{}, events: newEventLog(),
	}
	for _, k := range opts.Kinds {
		t := reflect.TypeOf(k.Type)
		s.kinds[t] = k
		s.objects[t] = map[types.NamespacedName]Object{}
		s.histories[t] = &history{limit: cmp.Or(k.History, opts.History)}
	}
	return s
}

// kind panics for a type that is not registered: that is a mistake of the program.
func (s *Store) kind(t reflect.Type) KindDefinition {
	k, ok := s.kinds[t]
	if !ok {
		panic(fmt.Sprintf("store: type %v is not registered", t))
	}
	return k
}

func (k KindDefinition) resource() schema.GroupResource {
	return schema.GroupResource{Group: k.GVK.Group, Resource: k.Resource}
}

func (k KindDefinition) same(a, b Object) bool {
	if k.Equal != nil {
		return k.Equal(a, b)
	}
	return equality.Semantic.DeepEqual(a, b)
}

func keyOf(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// Create adds an object: the store gives it a UID, the creation time, and a name from its
// generateName if it has no name. Its deletion time and grace period are cleared. One whose owners
// are all gone is deleted at once. The error is the API's AlreadyExists or Invalid.
func Create[T Object](s *Store, object T) (T, error) {
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
	if _, exists := s.objects[t][keyOf(next)]; exists {
		return next, apierrors.NewAlreadyExists(k.resource(), next.GetName())
	}
	next.SetUID(uuid.NewUUID())
	next.SetCreationTimestamp(metav1.NewTime(s.opts.Now().Truncate(time.Second)))
	next.SetDeletionTimestamp(nil)
	next.SetDeletionGracePeriodSeconds(nil)
	next.SetGeneration(0)
	if specOf(next) != nil {
		next.SetGeneration(1)
	}
	next.GetObjectKind().SetGroupVersionKind(k.GVK)
	s.put(t, next, Added)
	s.collectOne(next.GetUID())
	return next, nil
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

// Get returns an object. The error is the API's NotFound.
func Get[T Object](s *Store, namespace, name string) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return get[T](s, reflect.TypeFor[T](), types.NamespacedName{Namespace: namespace, Name: name})
}

func get[T Object](s *Store, t reflect.Type, key types.NamespacedName) (T, error) {
	var none T
	if o, ok := s.objects[t][key]; ok {
		return o.(T), nil
	}
	return none, apierrors.NewNotFound(s.kind(t).resource(), key.Name)
}

// List returns the objects that a selector selects, by namespace and name, and the resource version
// at which the store was read: a [Watch] from there misses nothing.
func List[T Object](s *Store, selector Selector) (objects []T, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := reflect.TypeFor[T]()
	s.kind(t)
	for _, o := range s.objects[t] {
		if selector.Matches(o) {
			objects = append(objects, o.(T))
		}
	}
	slices.SortFunc(objects, func(a, b T) int { return compareKeys(keyOf(a), keyOf(b)) })
	return objects, versionString(s.version)
}

func compareKeys(a, b types.NamespacedName) int {
	if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// Update replaces an object, its status too. If the new one carries a resource version or a UID it
// must be the current one. What changes nothing is no change: it moves no resource version, and no
// watch sees it. The error is the API's NotFound or Conflict.
func Update[T Object](s *Store, object T) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, err := currentOf(s, object)
	if err != nil {
		return current, err
	}
	return replace(s, current, object.DeepCopyObject().(T)), nil
}

// UpdateStatus is Update for the status alone: it leaves metadata and spec as they are. A kind
// without a status panics, as one that is not registered does.
func UpdateStatus[T Object](s *Store, object T) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, err := currentOf(s, object)
	if err != nil {
		return current, err
	}
	next := current.DeepCopyObject().(T)
	status := reflect.ValueOf(object.DeepCopyObject()).Elem().FieldByName("Status")
	reflect.ValueOf(next).Elem().FieldByName("Status").Set(status)
	return replace(s, current, next), nil
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
// the store.
func Modify[T Object](s *Store, namespace, name string, change func(T) error) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current, err := get[T](s, reflect.TypeFor[T](), types.NamespacedName{Namespace: namespace, Name: name})
	if err != nil {
		return current, err
	}
	next := current.DeepCopyObject().(T)
	if err := change(next); err != nil {
		return current, err
	}
	return replace(s, current, next), nil
}

// replace writes the new state of an object, unless nothing changed.
func replace[T Object](s *Store, current, next T) T {
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
	if s.kinds[t].same(current, next) {
		return current
	}
	if spec := specOf(next); spec != nil && !equality.Semantic.DeepEqual(specOf(current), spec) {
		next.SetGeneration(current.GetGeneration() + 1)
	}
	if grace := next.GetDeletionGracePeriodSeconds(); grace != nil && *grace == 0 && len(next.GetFinalizers()) == 0 {
		s.remove(t, next) // nothing but its finalizers kept it
		return next
	}
	s.put(t, next, Modified)
	s.collectOne(next.GetUID())
	return next
}

// specOf is what a generation counts the changes of.
func specOf(o Object) any {
	spec := reflect.ValueOf(o).Elem().FieldByName("Spec")
	if !spec.IsValid() {
		return nil
	}
	return spec.Addr().Interface()
}

// put stores the new state of an object with the next resource version.
func (s *Store) put(t reflect.Type, o Object, change ChangeType) {
	s.version++
	o.SetResourceVersion(versionString(s.version))
	before := s.objects[t][keyOf(o)]
	s.objects[t][keyOf(o)] = o
	s.owners.link(t, o)
	s.publish(t, Change{Type: change, Object: o, before: before, version: s.version})
}

// remove takes an object out, and what only it owned.
func (s *Store) remove(t reflect.Type, o Object) {
	s.drop(t, o)
	s.collect(o.GetUID())
}

// drop takes an object out.
func (s *Store) drop(t reflect.Type, o Object) {
	s.version++
	last := o.DeepCopyObject().(Object)
	last.SetResourceVersion(versionString(s.version))
	before := s.objects[t][keyOf(o)]
	delete(s.objects[t], keyOf(o))
	s.owners.unlink(o.GetUID())
	s.publish(t, Change{Type: Deleted, Object: last, before: before, version: s.version})
}

func versionString(v uint64) string { return strconv.FormatUint(v, 10) }

// matching returns the objects that match, in the order of their resource versions.
func (s *Store) matching(matches func(Object) bool) []Object {
	var all []Object
	for _, objects := range s.objects {
		for _, o := range objects {
			if matches(o) {
				all = append(all, o)
			}
		}
	}
	slices.SortFunc(all, func(a, b Object) int { return cmp.Compare(versionOf(a), versionOf(b)) })
	return all
}

func versionOf(o Object) uint64 {
	v, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("store: object %s carries resourceVersion %q", o.GetName(), o.GetResourceVersion()))
	}
	return v
}
