package store

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
)

// ChangeType is what happened to an object, in the words of the watch API.
type ChangeType = watch.EventType

// The changes that watches report.
const (
	Added    = watch.Added
	Modified = watch.Modified
	Deleted  = watch.Deleted
)

// Change is one change of the store. Its object must not be modified.
type Change struct {
	Type ChangeType
	// Object is the new state; of a Deleted one the last state, with the version of the deletion,
	// or of the change that made it stop matching.
	Object Object

	before  Object // the state it replaced, nil if there was none
	version uint64
}

// WatchOptions are what a watch reports.
type WatchOptions struct {
	// From is the resourceVersion after which changes are reported. "" and "0" mean: first every
	// object there is as Added, then what follows.
	From string
	// Kinds are empty objects of the kinds to report. Nil means all.
	Kinds []Object
	// Selector restricts the objects. One that stops matching is reported as Deleted, one that
	// begins to match as Added.
	Selector Selector
}

// Watch reports changes in order. It belongs to one goroutine and needs no closing: only while that
// goroutine waits does the store know of it.
type Watch struct {
	store    *Store
	kinds    []reflect.Type
	selector Selector
	backlog  []Change // the objects there were at the start
	taken    []Change // out of the history, still to match
	version  uint64   // of the last change that was taken
}

// batch is how many changes a watch takes at a time, so as to match them without holding up
// writers.
const batch = 64

// Watch starts a watch. The error is the API's BadRequest for a version that is none, or Expired
// for one that is not of this store.
func (s *Store) Watch(opts WatchOptions) (*Watch, error) {
	w := &Watch{store: s, selector: opts.Selector}
	for _, o := range opts.Kinds {
		t := reflect.TypeOf(o)
		s.kind(t)
		w.kinds = append(w.kinds, t)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if opts.From != "" && opts.From != "0" {
		version, err := s.parseVersion(opts.From)
		if err != nil {
			return nil, err
		}
		w.version = version
		return w, nil
	}
	s.expireEvents()
	w.version = s.version
	for _, o := range s.matching(w.matches) {
		w.backlog = append(w.backlog, Change{Type: Added, Object: o})
	}
	return w, nil
}

// CheckVersion returns an error unless this store has had a resource version: the API's BadRequest
// for what is none, and Expired for one of another store, such as that of the program's last run.
// That may be an older one as well as one that is not reached yet.
func (s *Store) CheckVersion(version string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.parseVersion(version)
	return err
}

func (s *Store) parseVersion(text string) (uint64, error) {
	version, err := strconv.ParseUint(text, 10, 64)
	switch {
	case err != nil:
		return 0, apierrors.NewBadRequest(fmt.Sprintf("resourceVersion: Invalid value: %q: %v", text, err))
	case version > s.version:
		return 0, apierrors.NewResourceExpired(fmt.Sprintf("too large resource version: %d, current: %d", version, s.version))
	case version < s.first:
		return 0, apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", version, s.first))
	}
	return version, nil
}

// Next waits for the next change. The error is the context's, once everything that is there was
// reported; or the API's Expired (410) if the watch fell behind the history: then the owner has to
// list or watch from the start again.
func (w *Watch) Next(ctx context.Context) (Change, error) {
	for {
		change, changed, err := w.poll()
		if err != nil || changed == nil {
			return change, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if w.leave() {
				return Change{}, ctx.Err()
			} // else both came at once, so there may be more
		}
	}
}

// Initial returns how many of the objects that there were at the start are still to be reported. At
// 0 a client that asked for them has them all.
func (w *Watch) Initial() int { return len(w.backlog) }

// Version returns the resource version up to which the watch has reported everything: one that
// begins there goes on where this one is. That is what a bookmark tells, and it grows while nothing
// happens, so that no watch becomes too old by waiting. It is empty while there are initial objects
// to report.
func (w *Watch) Version() string {
	switch {
	case len(w.backlog) > 0:
		return ""
	case len(w.taken) > 0:
		return versionString(w.taken[0].version - 1)
	}
	return versionString(w.version)
}

// leave ends the wait for a change. It returns false if there was one.
func (w *Watch) leave() bool {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	_, waiting := w.store.waiting[w]
	if waiting {
		w.version = w.store.version // all since then was of no concern
		delete(w.store.waiting, w)
	}
	return waiting
}

// poll takes the next change if there is one; else it returns a channel that is closed by the next
// one.
func (w *Watch) poll() (Change, <-chan struct{}, error) {
	if len(w.backlog) > 0 {
		change := w.backlog[0]
		w.backlog = w.backlog[1:]
		return change, nil, nil
	}
	for {
		for len(w.taken) > 0 {
			c := w.taken[0]
			w.taken = w.taken[1:]
			if translated, ok := w.translate(c); ok {
				return translated, nil, nil
			}
		}
		if changed, err := w.take(); changed != nil || err != nil {
			return Change{}, changed, err
		}
	}
}

// take takes the next changes out of the history; if there is none, it returns a channel that is
// closed by the next one.
func (w *Watch) take() (<-chan struct{}, error) {
	s := w.store
	s.mu.Lock()
	defer s.mu.Unlock()
	for t, h := range s.histories {
		if !w.wants(t) {
			continue
		}
		if w.version < h.dropped {
			return nil, apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", w.version, h.dropped))
		}
		w.taken = append(w.taken, h.after(w.version, batch)...)
	}
	if len(w.taken) == 0 {
		w.version = s.version
		changed := make(chan struct{})
		s.waiting[w] = changed
		return changed, nil
	}
	slices.SortFunc(w.taken, func(a, b Change) int { return cmp.Compare(a.version, b.version) })
	w.taken = w.taken[:min(len(w.taken), batch)] // beyond that one kind may have more in between
	w.version = w.taken[len(w.taken)-1].version
	return nil, nil
}

// wants reports whether changes of a kind concern the watch.
func (w *Watch) wants(t reflect.Type) bool { return w.kinds == nil || slices.Contains(w.kinds, t) }

// translate turns a change into what the watch's selector makes of it.
func (w *Watch) translate(c Change) (Change, bool) {
	was := c.before != nil && w.matches(c.before)
	is := c.Type != Deleted && w.matches(c.Object)
	switch {
	case was && is:
		c.Type = Modified
	case is:
		c.Type = Added
	case was && c.Type != Deleted:
		// it stopped matching: the last state that did, with the version of the change
		c.Type, c.Object = Deleted, c.before.DeepCopyObject().(Object)
		c.Object.SetResourceVersion(versionString(c.version))
	case was:
	default:
		return Change{}, false
	}
	return c, true
}

func (w *Watch) matches(o Object) bool {
	return w.wants(reflect.TypeOf(o)) && w.selector.Matches(o)
}
