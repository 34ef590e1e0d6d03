package clusterdash

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/dashboard"
)

// seen knows how each kind is heard. It is safe for concurrent use.
type seen struct {
	now func() time.Time

	mu    sync.Mutex // guards what follows
	kinds []*heard
	begun chan struct{} // closed when each kind has been listed, or cannot be
}

// heard is how the objects of a kind are.
type heard struct {
	plural  string
	listed  bool
	since   time.Time // when the server was heard last; zero while it is
	trouble error
	absent  bool   // the server has no such kind
	refused string // why it may not be read; "" if it may
}

// newSeen knows of kinds, by their plurals, that nothing has been heard yet.
func newSeen(now func() time.Time, plurals ...string) *seen {
	s := &seen{now: now, begun: make(chan struct{})}
	for _, plural := range plurals {
		s.kinds = append(s.kinds, &heard{plural: plural})
	}
	return s
}

// change changes what is known of a kind.
func (s *seen) change(plural string, to func(*heard)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waits := false
	for _, k := range s.kinds {
		if k.plural == plural {
			to(k)
		}
		waits = waits || !k.listed && !k.absent && k.trouble == nil && k.refused == ""
	}
	select {
	case <-s.begun:
	default:
		if !waits {
			close(s.begun)
		}
	}
}

// has notes that objects of a kind have come.
func (s *seen) has(plural string) {
	s.change(plural, func(k *heard) { k.listed, k.refused, k.trouble, k.since = true, "", nil, time.Time{} })
}

// troubled notes why the server is not heard; nil if it is again.
func (s *seen) troubled(plural string, err error) {
	s.change(plural, func(k *heard) {
		k.trouble = err
		switch {
		case err == nil:
			k.since = time.Time{}
		case k.since.IsZero():
			k.since = s.now()
		}
	})
}

// refuses notes that the server refuses a kind. Credentials that it takes no longer are trouble:
// what was seen is as old as that.
func (s *seen) refuses(plural string, err error) {
	switch {
	case apierrors.IsUnauthorized(err):
		s.troubled(plural, fmt.Errorf("it takes the credentials of the kubeconfig no longer: %w", err))
	case apierrors.IsForbidden(err):
		s.change(plural, func(k *heard) { k.refused, k.listed = "forbidden", false })
	default: // a server that has no such kind has no such objects
		s.change(plural, func(k *heard) { k.absent, k.trouble, k.since = true, nil, time.Time{} })
	}
}

// state is what pages tell of it.
func (s *seen) state() (state dashboard.ClusterState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kinds {
		if k.refused != "" {
			state.NotSeen = append(state.NotSeen, k.plural+" ("+k.refused+")")
		}
		if k.trouble != nil && (state.Since.IsZero() || k.since.Before(state.Since)) {
			state.Since, state.Problem = k.since, briefly(k.trouble)
		}
	}
	slices.Sort(state.NotSeen)
	return state
}

// briefly is an error without the address that was asked, which is long and not what is wrong.
func briefly(err error) string {
	if asked, ok := errors.AsType[*url.Error](err); ok {
		err = asked.Err
	}
	return err.Error()
}

// problem is why nothing at all is seen; nil if something is.
func (s *seen) problem() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last error
	for _, k := range s.kinds {
		switch {
		case k.listed:
			return nil
		case k.trouble != nil:
			last = k.trouble
		case last == nil && k.refused != "":
			last = fmt.Errorf("%s: %s", k.plural, k.refused)
		}
	}
	return last
}
