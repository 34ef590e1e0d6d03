package proxy

import (
	"slices"
	"time"
)

// table is what a port knows at one time. It is never changed; its replicas live on in the next
// one.
type table struct {
	protocol protocol
	// ready endpoints get all requests.
	ready []*replica
	// terminating endpoints get them if no ready one is left (R198, R199).
	terminating []*replica
	// hold is how long a request waits for a ready endpoint; 0 means that it does not.
	hold time.Duration
	// affinity is how long a client stays with its replica (R202); 0 means none.
	affinity time.Duration
}

// wish is what one attempt asks of a table.
type wish struct {
	// turn decides between replicas that are equally busy.
	turn uint64
	// tried ones are not chosen again.
	tried []*replica
	// favourite is chosen if it is as good as the others but for its load; or nil.
	favourite *replica
	// patient attempts rather wait than take one that is on its way out or refuses connections.
	patient bool
}

// choose finds the replica with the fewest requests in flight among those that are in the best
// state: ready and in rotation; else ready but refusing connections, as a try costs less than a
// failure; else, if none is ready, on its way out but alive. It returns nil if there is none that
// was not tried, and the flags of a Pod which the entrance has to be refused for if they come up
// meanwhile.
func (t *table) choose(w wish) (best *replica, refused uint64) {
	if best = least(t.ready, w, isReady, true); best != nil || w.patient {
		return best, withdrawn | closed
	}
	if best = least(t.ready, w, isReady, false); best != nil {
		return best, withdrawn | closed
	}
	if slices.ContainsFunc(t.ready, isReady) {
		return nil, 0 // all were tried: one that is ready exists, so the others get nothing (R199)
	}
	for _, list := range [][]*replica{t.ready, t.terminating} {
		if r := least(list, w, isAlive, false); r != nil && (best == nil || r.inFlight.Load() < best.inFlight.Load()) {
			best = r
		}
	}
	return best, closed
}

func isReady(r *replica) bool { return !r.has(withdrawn | closed) }
func isAlive(r *replica) bool { return !r.has(closed) }

// least scans all replicas that are good, and takes the favourite or the least busy one.
func least(list []*replica, w wish, good func(*replica) bool, inRotation bool) (best *replica) {
	fewest := int64(0)
	n := uint64(len(list))
	for i := range n {
		r := list[(w.turn+i)%n]
		if !good(r) || inRotation && r.isEjected() || slices.Contains(w.tried, r) {
			continue
		}
		if r == w.favourite {
			return r
		}
		if load := r.inFlight.Load(); best == nil || load < fewest {
			best, fewest = r, load
		}
	}
	return best
}
