package store

import "reflect"

// GetLike returns the object of the kind, namespace and name of another one, for callers that know
// the kind only at run time. The error is the API's NotFound.
func (s *Store) GetLike(o Object) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return get[Object](s, reflect.TypeOf(o), keyOf(o))
}

// DeleteLike is [Delete] for the object of the kind, namespace and name of another one.
func (s *Store) DeleteLike(o Object, opts DeleteOptions) error {
	return s.deleteKey(reflect.TypeOf(o), keyOf(o), opts)
}
