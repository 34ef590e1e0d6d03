package store

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
)

// snapshot is an object that the store gave to readers, and a copy that nobody else has.
type snapshot struct{ published, private Object }

// CheckMutations returns an error that names each snapshot which a reader modified instead of a
// copy of it. It finds nothing unless [Options].DetectMutations is set.
func (s *Store) CheckMutations() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, sn := range s.snapshots {
		if o := sn.private; !equality.Semantic.DeepEqual(sn.published, o) {
			errs = append(errs, fmt.Errorf("%s %s/%s of resource version %s was modified by a reader: call DeepCopy first",
				o.GetObjectKind().GroupVersionKind().Kind, o.GetNamespace(), o.GetName(), o.GetResourceVersion()))
		}
	}
	return errors.Join(errs...)
}
