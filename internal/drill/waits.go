package drill

import (
	"cmp"
	"time"
)

// decision is how long after a fault inside of a process it is certain that no probe restarts it
// any more: what the slowest takes at most, and what the service takes to notice itself.
func (f Fault) decision(w *Workload) time.Duration {
	lag := lagLimit
	switch {
	case w.liveness() == nil && w.slowest() > 0:
		lag = lagLimit / 3 // another container may be restarted
	case f.Kind == KindHang:
		lag = time.Second
	}
	return cmp.Or(w.slowest(), w.readiness().worst()+ownLag) + lag
}

// replacement is how long the end of a process may take that is to be replaced.
func (w *Workload) replacement() time.Duration {
	return min(time.Duration(w.Grace), replaceLimit) + ownLag
}
