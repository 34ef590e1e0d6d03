package store

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Object is a Kubernetes object: a pointer to an API struct, such as *corev1.Pod. Package manifest
// has the same interface by another name.
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
	// Generation returns what metadata.generation counts the changes of, by semantic equality.
	// Default: the kind has no generation.
	Generation func(o Object) any
	// History is how many changes of this kind are kept for watches. Default 2048.
	History int
}

// Options of a [Store].
type Options struct {
	// Kinds that the store holds. Required: an object of another kind is a mistake of the program
	// and panics.
	Kinds []KindDefinition
	// History is how many changes of each kind are kept for watches. Default: what the kind says.
	History int
	// MaxEvents is how many Events are kept in all, and of one object 100, whoever wrote them;
	// those that were written last stay, for an hour. Default 4000.
	MaxEvents int
	// Now is the clock. Resource versions begin at its time, too. Default time.Now.
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
	first     uint64     // version of the empty store
	version   uint64     // of the newest change
	objects   map[reflect.Type]map[types.NamespacedName]Object
	owners    owners
	histories map[reflect.Type]*history
	waiting   map[*Watch]chan struct{} // closed by the next change that concerns the watch
	events    eventLog
	eventTime int64      // in the name of the newest of them, in ns
	snapshots []snapshot // only to detect mutations
}

const defaultHistory = 2048

// firstVersion is the resource version of an empty store: the milliseconds of the clock times
// 1,024. No store that was there before has come that far, so that a client which still knows a
// version of one is told that it is Expired, and does not go on with half of what there is. It is
// not 0, which means "any" where a watch starts, and JavaScript's numbers hold it.
func firstVersion(now time.Time) uint64 { return uint64(max(now.UnixMilli(), 1)) << 10 }

// New makes an empty store.
func New(opts Options) *Store {
	if opts.MaxEvents == 0 {
		opts.MaxEvents = 4000
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	first := firstVersion(opts.Now())
	s := &Store{
		opts: opts, kinds: map[reflect.Type]KindDefinition{}, first: first, version: first,
		objects: map[reflect.Type]map[types.NamespacedName]Object{}, owners: newOwners(),
		histories: map[reflect.Type]*history{}, waiting: map[*Watch]chan struct{}{}, events: newEventLog(),
	}
	for _, k := range opts.Kinds {
		t := reflect.TypeOf(k.Type)
		s.kinds[t] = k
		s.objects[t] = map[types.NamespacedName]Object{}
		s.histories[t] = &history{limit: cmp.Or(opts.History, k.History, defaultHistory)}
	}
	return s
}

// Kind returns the definition of o's kind. One that is not registered panics.
func (s *Store) Kind(o Object) KindDefinition { return s.kind(reflect.TypeOf(o)) }

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

// named is the resource under the name of its kind, as the API server's deletion calls it.
func (k KindDefinition) named() schema.GroupResource {
	return schema.GroupResource{Group: k.GVK.Group, Resource: k.GVK.Kind}
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

// put stores the new state of an object with the next resource version.
func (s *Store) put(t reflect.Type, o Object, change ChangeType) {
	s.version++
	o.SetResourceVersion(versionString(s.version))
	before := s.objects[t][keyOf(o)]
	s.objects[t][keyOf(o)] = o
	s.owners.link(t, o)
	s.publish(t, Change{Type: change, Object: o, before: before, version: s.version})
	if before != nil && blockedOwners(before) != nil && !slices.Equal(blockedOwners(before), blockedOwners(o)) {
		s.finishForeground(blockedOwners(before))
	}
	if event, ok := o.(*corev1.Event); ok {
		s.keepEvent(event)
	}
	s.expireEvents()
}

// remove takes an object out, and what only it owned.
func (s *Store) remove(t reflect.Type, o Object) {
	blocked := blockedOwners(s.objects[t][keyOf(o)])
	s.drop(t, o)
	s.collect(o.GetUID())
	s.finishForeground(blocked)
	s.finishNamespace(o.GetNamespace())
}

// drop takes an object out.
func (s *Store) drop(t reflect.Type, o Object) {
	s.version++
	last := o.DeepCopyObject().(Object)
	last.SetResourceVersion(versionString(s.version))
	before := s.objects[t][keyOf(o)]
	delete(s.objects[t], keyOf(o))
	s.owners.unlink(o.GetUID())
	if t == eventType() {
		s.events.forget(keyOf(o))
	}
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
