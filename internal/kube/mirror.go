package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// maxAgainPause is how long the pause between two tries of a server that does not answer becomes.
const maxAgainPause = 5 * time.Second

// ObjectOf is an object of one of Kubernetes' own types.
type ObjectOf[T any] interface {
	*T
	metav1.Object
}

// MirrorOptions say what a [Mirror] keeps, and whom it tells. The zero value keeps all and tells
// nobody.
type MirrorOptions[T any] struct {
	Kind      Kind
	Namespace string // "" means all
	List      metav1.ListOptions
	// Prune takes away what nobody reads of an object before that is kept; nil takes nothing.
	Prune func(*T)
	// Changed is called after each change, from the goroutine of [Mirror.Run]; it must not block.
	Changed func()
	// Trouble is called with why the server is not heard at the moment, and with nil when it is
	// again.
	Trouble func(error)
}

// Mirror keeps a copy of objects as they are on a server: it lists them once and watches from
// there. Make it with [NewMirror]. It is safe for concurrent use.
type Mirror[T any, P ObjectOf[T], L any, PL ListOf[L]] struct {
	client  *Client
	options MirrorOptions[T]
	items   func(*L) []T

	mu   sync.Mutex // guards all
	all  map[types.UID]*T
	full bool
}

// NewMirror makes a mirror of the objects that lists of a type have.
func NewMirror[T any, P ObjectOf[T], L any, PL ListOf[L]](client *Client, items func(*L) []T, options MirrorOptions[T]) *Mirror[T, P, L, PL] {
	return &Mirror[T, P, L, PL]{client: client, options: options, items: items, all: map[types.UID]*T{}}
}

// All are the objects, in no order. Nobody changes them. complete reports whether they have been
// listed once.
func (m *Mirror[T, P, L, PL]) All() (all []*T, complete bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all = make([]*T, 0, len(m.all))
	for _, o := range m.all {
		all = append(all, o)
	}
	return all, m.full
}

// refusedTime is how long a server may refuse what it has allowed before: one that has just started
// does not know anybody's rights yet.
const refusedTime = 20 * time.Second

// Run keeps the copy until the context is done, whose cause it returns. A server that does not
// answer is asked again; one that refuses ends it, and if it has not refused before, when it does
// so for a while. What is too old is listed anew at once, and with pauses if that is too old again.
func (m *Mirror[T, P, L, PL]) Run(ctx context.Context) error {
	version, pause := "", againPause
	stale, allowed := false, false
	refused := time.Time{} // since when at the earliest
	for {
		var err error
		if version == "" {
			version, err = m.list(ctx)
		}
		if err == nil {
			from := version
			var heard bool
			version, heard, err = m.watch(ctx, from)
			allowed = allowed || heard
			if heard && (version != from || !apierrors.IsResourceExpired(err)) {
				stale, pause = false, againPause
			}
		}
		if !apierrors.IsForbidden(err) {
			refused = time.Now()
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case apierrors.IsForbidden(err) && allowed && time.Since(refused) < refusedTime:
			m.trouble(err)
		case apierrors.IsUnauthorized(err), apierrors.IsForbidden(err), apierrors.IsNotFound(err):
			return err
		case apierrors.IsResourceExpired(err):
			version = ""
			if !stale {
				stale = true
				continue
			}
		case err != nil:
			m.trouble(err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		pause = min(2*pause, maxAgainPause)
	}
}

func (m *Mirror[T, P, L, PL]) trouble(err error) {
	if m.options.Trouble != nil {
		m.options.Trouble(err)
	}
}

// list reads all objects anew and returns their version.
func (m *Mirror[T, P, L, PL]) list(ctx context.Context) (version string, err error) {
	all := map[types.UID]*T{}
	for page, err := range Pages[L, PL](ctx, m.client, m.options.Kind, m.options.Namespace, m.options.List) {
		if err != nil {
			return "", err
		}
		if page.First {
			clear(all)
		}
		for _, o := range m.items(page.List) {
			m.prune(&o)
			all[P(&o).GetUID()] = &o
		}
		version = PL(page.List).GetResourceVersion()
	}
	m.mu.Lock()
	m.all, m.full = all, true
	m.mu.Unlock()
	m.changed()
	return version, nil
}

// watch follows changes from a version and returns the last one that it has seen. Without an error
// the watch has ended as watches do, or its connection broke off: whether the server is away, the
// next try shows. heard reports whether the server has begun it.
func (m *Mirror[T, P, L, PL]) watch(ctx context.Context, version string) (last string, heard bool, failure error) {
	options := m.options.List
	options.AllowWatchBookmarks = true // else the version of what is silent for long expires
	options.ResourceVersion, last = version, version
	response, err := m.client.openWatch(ctx, m.options.Kind, m.options.Namespace, options)
	if err != nil {
		return last, false, err
	}
	m.trouble(nil)
	readWatch(ctx, response, func(what watch.EventType, object json.RawMessage, err error) bool {
		if err != nil {
			failure = ended(err)
			return false
		}
		o := new(T)
		if err := json.Unmarshal(object, o); err != nil {
			failure = fmt.Errorf("cannot read what the server watches: %w", err)
			return false
		}
		last = P(o).GetResourceVersion()
		if what == watch.Bookmark {
			return true
		}
		m.prune(o)
		m.mu.Lock()
		if what == watch.Deleted {
			delete(m.all, P(o).GetUID())
		} else {
			m.all[P(o).GetUID()] = o
		}
		m.mu.Unlock()
		m.changed()
		return true
	})
	return last, true, failure
}

func (m *Mirror[T, P, L, PL]) prune(o *T) {
	P(o).SetManagedFields(nil)
	if m.options.Prune != nil {
		m.options.Prune(o)
	}
}

func (m *Mirror[T, P, L, PL]) changed() {
	if m.options.Changed != nil {
		m.options.Changed()
	}
}
