package proxy

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/probity-run/probity/internal/store"
)

// AsCluster routes as kube-proxy does, which is ruder to a service than this proxy: each request
// goes to a ready endpoint at random, whatever that is busy with, and is never sent to another one.
// Nobody knows of the end of a Pod before the EndpointSlices say it (R198). An HTTP/1 request has a
// connection to the replica of its own, as that of a new client has there. What only Probity has,
// such as the annotation probity.run/hold, does nothing.
type AsCluster struct {
	// EndpointDelay is how long a change of an EndpointSlice takes to get here. Default: nothing.
	EndpointDelay time.Duration
}

// chooseAsCluster chooses any ready endpoint; if there is none, any that is serving and terminating
// (R198), or the sticky one if it is among them. It returns nil if there is none at all.
func (t *routingTable) chooseAsCluster(sticky *endpoint, random func(n int) int) *endpoint {
	list := t.ready
	if len(list) == 0 {
		list = t.terminating
	}
	switch {
	case len(list) == 0:
		return nil
	case sticky != nil && slices.Contains(list, sticky):
		return sticky
	}
	return list[random(len(list))]
}

// chooseAny is as choose, for [AsCluster].
func (rr *routedRequest) chooseAny(t *routingTable, sticky *endpoint) bool {
	if len(rr.tried) > 0 {
		return false
	}
	e := t.chooseAsCluster(sticky, rand.IntN)
	if e == nil {
		return false
	}
	rr.endpoint, rr.attempt = e, e.startAttempt(0)
	return true
}

// laterSlices are changes of EndpointSlices that have not got here yet, the oldest first.
type laterSlices struct {
	delay   func() time.Duration // of a change that comes now
	changes []laterChange
}

type laterChange struct {
	store.Change
	due time.Time
}

// next waits for the next change that has got here. The error is that of the watch.
func (l *laterSlices) next(ctx context.Context, watch *store.Watch) (store.Change, error) {
	for {
		if len(l.changes) > 0 && !time.Now().Before(l.changes[0].due) {
			first := l.changes[0].Change
			l.changes = l.changes[1:]
			return first, nil
		}
		change, err := l.read(ctx, watch)
		_, isSlice := change.Object.(*discoveryv1.EndpointSlice)
		switch {
		case err == nil && isSlice && l.postpone(change):
		case err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		default:
			return change, err
		}
	}
}

// postpone keeps a change until it is due, and reports whether it had to: also without a delay no
// change overtakes an older one.
func (l *laterSlices) postpone(change store.Change) bool {
	delay := l.delay()
	if delay == 0 && len(l.changes) == 0 {
		return false
	}
	due := time.Now().Add(delay)
	if n := len(l.changes); n > 0 && due.Before(l.changes[n-1].due) {
		due = l.changes[n-1].due
	}
	l.changes = append(l.changes, laterChange{change, due})
	return true
}

// read reads the watch until the oldest change is due.
func (l *laterSlices) read(ctx context.Context, watch *store.Watch) (store.Change, error) {
	if len(l.changes) > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, l.changes[0].due)
		defer cancel()
	}
	return watch.Next(ctx)
}
