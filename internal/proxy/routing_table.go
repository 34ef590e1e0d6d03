package proxy

import (
	"slices"
	"time"
)

// table is what a port knows at one time. It is never changed; its replicas live on in the next
// one.
type routingTable struct {
	protocol protocol
	// ready endpoints get all requests.
	ready []*endpoint
	// terminating endpoints get them if no ready one is left (R198, R199).
	terminating []*endpoint
	// hold is how long a request waits for a ready endpoint; 0 means that it does not.
	hold time.Duration
	// affinity is how long a client stays with its replica (R202); 0 means none.
	affinityTimeout time.Duration
}

// wish is what one attempt asks of a table.
type criteria struct {
	// turn decides between replicas that are equally busy.
	roundRobin uint64
	// tried ones are not chosen again.
	tried []*endpoint
	// favourite is chosen if it is as good as the others but for its load; or nil.
	sticky *endpoint
	// patient attempts rather wait than take one that is on its way out or refuses connections.
	readyOnly bool
}

// choose finds the replica with the fewest requests in flight among those that are in the best
// state: ready and in rotation; else ready but refusing connections, as a try costs less than a
// failure; else, if none is ready, on its way out but alive. It returns nil if there is none that
// was not tried, and the flags of a Pod which the entrance has to be refused for if they come up
// meanwhile.
func (t *routingTable) choose(want criteria) (best *endpoint, refused uint64) {
	if best = leastBusy(t.ready, want, isAdmitted, true); best != nil || want.readyOnly {
		return best, flagWithdrawn | flagClosed
	}
	if best = leastBusy(t.ready, want, isAdmitted, false); best != nil {
		return best, flagWithdrawn | flagClosed
	}
	if slices.ContainsFunc(t.ready, isAdmitted) {
		return nil, 0 // all were tried: one that is ready exists, so the others get nothing (R199)
	}
	for _, list := range [][]*endpoint{t.ready, t.terminating} {
		if e := leastBusy(list, want, isRunning, false); e != nil && (best == nil || e.inFlight.Load() < best.inFlight.Load()) {
			best = e
		}
	}
	return best, flagClosed
}

func isAdmitted(e *endpoint) bool { return !e.hasAny(flagWithdrawn | flagClosed) }
func isRunning(e *endpoint) bool  { return !e.hasAny(flagClosed) }

// least scans all replicas that are good, and takes the favourite or the least busy one.
func leastBusy(list []*endpoint, want criteria, good func(*endpoint) bool, inRotation bool) (best *endpoint) {
	fewest := int64(0)
	n := uint64(len(list))
	for i := range n {
		e := list[(want.roundRobin+i)%n]
		if !good(e) || inRotation && e.isEjected() || slices.Contains(want.tried, e) {
			continue
		}
		if e == want.sticky {
			return e
		}
		if load := e.inFlight.Load(); best == nil || load < fewest {
			best, fewest = e, load
		}
	}
	return best
}

// retire marks the replicas that the next table has no more, and brings those back that become
// ready: a probe found that they answer.
func markRemoved(before, after *routingTable) {
	for _, list := range [][]*endpoint{before.ready, before.terminating} {
		for _, e := range list {
			e.removed.Store(!slices.Contains(after.ready, e) && !slices.Contains(after.terminating, e))
		}
	}
	for _, e := range after.ready {
		if !slices.Contains(before.ready, e) {
			e.ejectedIn.Store(nil)
		}
	}
}
