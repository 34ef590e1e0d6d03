package store

import "reflect"

// GetObject is [Get] for callers that know the kind only at run time: it returns the object that
// the store has of o's kind, namespace and name. The error is the API's NotFound.
func (s *Store) GetObject(o Object) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return get[Object](s, reflect.TypeOf(o), keyOf(o))
}

// ListObjects is [List] for the objects of o's kind, whatever its name.
func (s *Store) ListObjects(o Object, selector Selector) (objects []Object, version string) {
	return list[Object](s, reflect.TypeOf(o), selector)
}

// ModifyObject is [Modify] for the object of o's kind, namespace and name.
func (s *Store) ModifyObject(o Object, change func(Object) error, opts ...WriteOption) (Object, error) {
	return modify(s, reflect.TypeOf(o), keyOf(o), change, opts)
}

// DeleteObject is [Delete] for the object of o's kind, namespace and name. It returns the object as
// it is now, or as it was last if it is gone.
func (s *Store) DeleteObject(o Object, opts DeleteOptions) (last Object, gone bool, err error) {
	return s.deleteKey(reflect.TypeOf(o), keyOf(o), opts)
}
