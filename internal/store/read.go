package store

import (
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// Get returns an object. The error is the API's NotFound.
func Get[T Object](s *Store, namespace, name string) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return get[T](s, reflect.TypeFor[T](), types.NamespacedName{Namespace: namespace, Name: name})
}

func get[T Object](s *Store, t reflect.Type, key types.NamespacedName) (T, error) {
	var none T
	if t == eventType() {
		s.expireEvents()
	}
	if o, ok := s.objects[t][key]; ok {
		return o.(T), nil
	}
	return none, apierrors.NewNotFound(s.kind(t).resource(), key.Name)
}

// Version returns the resource version of the newest change.
func (s *Store) Version() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return versionString(s.version)
}

// List returns the objects that a selector selects, by namespace and name, and the resource version
// at which the store was read: a [Watch] from there misses nothing.
func List[T Object](s *Store, selector Selector) (objects []T, version string) {
	return list[T](s, reflect.TypeFor[T](), selector)
}

func list[T Object](s *Store, t reflect.Type, selector Selector) (objects []T, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kind(t)
	if t == eventType() {
		s.expireEvents()
	}
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
