package store

import "reflect"

// GetObject is [Get] for callers that know the kind only at run time: it returns the object that
// the store has of o's kind, namespace and name. The error is the API's NotFound.
func (s *Store) GetObject(o Object) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return get[Object](s, reflect.TypeOf(o), keyOf(o))
}

// DeleteObject is [Delete] for the object of o's kind, namespace and name.
func (s *Store) DeleteObject(o Object, opts DeleteOptions) error {
	return s.deleteKey(reflect.TypeOf(o), keyOf(o), opts)
}
