package dashboard

import (
	"cmp"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/store"
)

// Objects is where the dashboard reads objects. Its methods are safe for concurrent use; nobody
// modifies what they return.
type Objects interface {
	// List are the objects of the kind of like, in no order; like may be a nil pointer.
	List(like store.Object) []store.Object
	// Get is the one of that kind and name; nil if there is none.
	Get(like store.Object, namespace, name string) store.Object
}

// stored are the objects of a store.
type stored struct{ *store.Store }

// List implements [Objects].
func (s stored) List(like store.Object) []store.Object {
	all, _ := s.ListObjects(like, store.Selector{})
	return all
}

// Get implements [Objects].
func (s stored) Get(like store.Object, namespace, name string) store.Object {
	key := reflect.New(reflect.TypeOf(like).Elem()).Interface().(store.Object)
	key.SetNamespace(namespace)
	key.SetName(name)
	o, err := s.GetObject(key)
	if err != nil {
		return nil // there is no other error
	}
	return o
}

// sorted are the objects of a kind by namespace and name.
func sorted[T store.Object](s *Server) []T {
	var like T
	list := s.reads.List(like)
	all := make([]T, 0, len(list))
	for _, o := range list {
		all = append(all, o.(T))
	}
	slices.SortFunc(all, func(a, b T) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
	return all
}

// count is how many objects of a kind there are.
func count[T store.Object](s *Server) int {
	var like T
	return len(s.reads.List(like))
}

// named finds an object; false if there is none.
func named[T store.Object](s *Server, namespace, name string) (T, bool) {
	var like T
	o, ok := s.reads.Get(like, namespace, name).(T)
	return o, ok
}

// kindOf is the kind of an object, which does not say it itself.
func kindOf(o store.Object) schema.GroupVersionKind {
	for _, known := range store.Kubernetes() {
		if reflect.TypeOf(known.Type) == reflect.TypeOf(o) {
			return known.GVK
		}
	}
	return schema.GroupVersionKind{}
}
