package proxy

import (
	"slices"
	"time"
)

// routingTable says where the requests of a port go. It is never changed, but replaced by a new
// one, which shares the endpoints that are in both.
type routingTable struct {
	protocol protocol
	// ready endpoints get all requests.
	ready []*endpoint
	// terminating endpoints get them if no ready one is left (R198, R199).
	terminating []*endpoint
	// hold is how long a request waits for a ready endpoint; 0 means that it does not.
	hold time.Duration
	// affinityTimeout is how long a client's requests go to the same endpoint (R202); 0 means that
	// they go to any.
	affinityTimeout time.Duration
}

// criteria are what an attempt asks of the endpoint to choose.
type criteria struct {
	// roundRobin decides between endpoints that are equally busy.
	roundRobin uint64
	// tried endpoints are not chosen again.
	tried []*endpoint
	// sticky is chosen, however busy it is, if it is in the best state that an endpoint has; or
	// nil. It is the endpoint that session affinity asks for.
	sticky *endpoint
	// readyOnly leaves out endpoints that are on their way out or refuse connections: the request
	// rather waits.
	readyOnly bool
}

// choose finds the endpoint with the fewest requests in flight among those that are in the best
// state: ready and in rotation; else ready but ejected, as a failed attempt costs less than a
// failed request; else, if none is ready, on its way out with a process that still runs. It returns
// nil if there is none that was not tried. refused are the flags of a Pod with which it would not
// have been chosen, as they may be set before the attempt begins.
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

// isAdmitted reports whether the node has neither withdrawn the Pod nor said that its process
// ended.
func isAdmitted(e *endpoint) bool { return !e.hasAny(flagWithdrawn | flagClosed) }

// isRunning reports whether the node has not said that the Pod's process ended.
func isRunning(e *endpoint) bool { return !e.hasAny(flagClosed) }

// leastBusy chooses among the endpoints that are usable and were not tried: the sticky one, or the
// one with the fewest requests in flight. With inRotation it leaves out those that are ejected.
func leastBusy(list []*endpoint, want criteria, usable func(*endpoint) bool, inRotation bool) (best *endpoint) {
	fewest := int64(0)
	n := uint64(len(list))
	for i := range n {
		e := list[(want.roundRobin+i)%n]
		if !usable(e) || inRotation && e.isEjected() || slices.Contains(want.tried, e) {
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

// markRemoved marks the endpoints that the next table does not have any more.
func markRemoved(before, after *routingTable) {
	for _, list := range [][]*endpoint{before.ready, before.terminating} {
		for _, e := range list {
			e.removed.Store(!slices.Contains(after.ready, e) && !slices.Contains(after.terminating, e))
		}
	}
}

// readmit brings ejected endpoints back into rotation that become ready with the next table: a
// probe has found that they answer.
func readmit(before, after *routingTable) {
	for _, e := range after.ready {
		if !slices.Contains(before.ready, e) {
			e.ejectedIn.Store(nil)
		}
	}
}
