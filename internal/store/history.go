package store

import (
	"cmp"
	"reflect"
	"slices"
)

// history is the latest changes of one kind, oldest first.
type history struct {
	limit   int
	changes []Change
	dropped uint64 // version of the newest change that is not kept any more
}

func (h *history) add(c Change) {
	if len(h.changes) == h.limit {
		drop := max(h.limit/4, 1) // in one go, so that a write costs no copy of the history
		h.dropped = h.changes[drop-1].version
		h.changes = slices.Delete(h.changes, 0, drop)
	}
	h.changes = append(h.changes, c)
}

// after returns the oldest n changes after a version, or fewer.
func (h *history) after(version uint64, n int) []Change {
	from, _ := slices.BinarySearchFunc(h.changes, version+1, func(c Change, v uint64) int { return cmp.Compare(c.version, v) })
	return h.changes[from:min(from+n, len(h.changes))]
}

// publish appends a change to the history of its kind and wakes the watches that wait for it.
func (s *Store) publish(t reflect.Type, c Change) {
	if s.opts.DetectMutations {
		s.snapshots = append(s.snapshots, snapshot{c.Object, c.Object.DeepCopyObject().(Object)})
	}
	s.histories[t].add(c)
	for w, changed := range s.waiting {
		if w.wants(t) {
			close(changed)
			delete(s.waiting, w)
		}
	}
}
