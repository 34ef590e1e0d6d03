package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
)

// ChangeType says what happened to an object, in the words of the watch API.
type ChangeType = watch.EventType

// The changes that watches report.
const (
	Added    = watch.Added
	Modified = watch.Modified
	Deleted  = watch.Deleted
)

// Change is one step in the life of the store. Its object must not be modified.
type Change struct {
	Type ChangeType
	// Object is the new state; of a Deleted one the last state, with the version of the deletion.
	Object Object

	before  Object // the state it replaced, nil if there was none
	version uint64
}

// WatchOptions say what a watch sees.
type WatchOptions struct {
	// From is the resourceVersion after which changes are seen. "" and "0" mean: first every object there is as Added, then what follows.
	From string
	// Kinds are empty objects of the kinds to see. Nil means all.
	Kinds []Object
	// Selector restricts the objects. One that stops to match is reported as Deleted, one that begins to match as Added.
	Selector Selector
}

// Watch reports changes in order. It belongs to one goroutine, holds nothing in the store and needs no closing.
type Watch struct {
	store    *Store
	kinds    []reflect.Type
	selector Selector
	backlog  []Change // the objects there were at the start
	version  uint64   // of the last change that was looked at
}

// Watch starts a watch. The error is the API's BadRequest for a version that is none.
func (s *Store) Watch(opts WatchOptions) (*Watch, error) {
	w := &Watch{store: s, selector: opts.Selector}
	for _, o := range opts.Kinds {
		w.kinds = append(w.kinds, reflect.TypeOf(o))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if opts.From != "" && opts.From != "0" {
		version, err := strconv.ParseUint(opts.From, 10, 64)
		if err != nil {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("invalid resource version %q", opts.From))
		}
		w.version = version
		return w, nil
	}
	w.version = s.version
	for _, o := range s.snapshot() {
		if w.sees(o) {
			w.backlog = append(w.backlog, Change{Type: Added, Object: o})
		}
	}
	return w, nil
}

// Next waits for the next change. The error is the context's, or the API's Expired (410) if the watch fell behind the history: then the owner has to list
// or watch from the start again.
func (w *Watch) Next(ctx context.Context) (Change, error) {
	for {
		change, changed, err := w.poll()
		if err != nil || changed == nil {
			return change, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Change{}, ctx.Err()
		}
	}
}

// poll takes the next change if there is one; else it returns the channel that is closed by the next write.
func (w *Watch) poll() (Change, <-chan struct{}, error) {
	if len(w.backlog) > 0 {
		change := w.backlog[0]
		w.backlog = w.backlog[1:]
		return change, nil, nil
	}
	s := w.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.history) > 0 && w.version+1 < s.history[0].version {
		return Change{}, nil, apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", w.version, s.history[0].version-1))
	}
	start, _ := slices.BinarySearchFunc(s.history, w.version+1, func(c Change, v uint64) int { return int(c.version) - int(v) })
	for _, c := range s.history[start:] {
		w.version = c.version
		if seen, ok := w.translate(c); ok {
			return seen, nil, nil
		}
	}
	return Change{}, s.changed, nil
}

// translate turns a change into what the watch's selector makes of it.
func (w *Watch) translate(c Change) (Change, bool) {
	was := c.before != nil && w.sees(c.before)
	is := c.Type != Deleted && w.sees(c.Object)
	switch {
	case was && is:
		c.Type = Modified
	case is:
		c.Type = Added
	case was:
		c.Type = Deleted
	default:
		return Change{}, false
	}
	return c, true
}

func (w *Watch) sees(o Object) bool {
	return (w.kinds == nil || slices.Contains(w.kinds, reflect.TypeOf(o))) && w.selector.Matches(o)
}

// tell appends a change to the history and wakes the watches.
func (s *Store) tell(c Change) {
	if len(s.history) == s.opts.History {
		s.history = slices.Delete(s.history, 0, max(s.opts.History/4, 1)) // in one go, so that a write costs no copy of the history
	}
	s.history = append(s.history, c)
	close(s.changed)
	s.changed = make(chan struct{})
}
