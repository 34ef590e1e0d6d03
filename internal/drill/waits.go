package drill

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

const (
	// startTime is how long the first start may take, whatever the probes say.
	startTime = 2 * time.Minute
	// startSlack is how much longer than its probes allow a start may take: images, volumes and
	// other workloads that have to come first.
	startSlack = 30 * time.Second
)

// startLimit is how long the first start of workloads may take: what the startup probe of the
// slowest container allows, and then its readiness probe.
func startLimit(all []*target) time.Duration {
	limit := startTime
	for _, t := range all {
		limit = max(limit, starts(t.Probes)+startSlack)
		for _, c := range t.Beside {
			limit = max(limit, starts(c.Probes)+startSlack)
		}
	}
	return limit
}

// starts is how long a container may take until it is ready, by its probes.
func starts(probes []Probe) (most time.Duration) {
	if p := probeOf(probes, lifecycle.Startup); p != nil {
		most += time.Duration(p.Delay) + time.Duration(p.Failures)*p.timing().Interval() + time.Duration(p.Timeout)
	}
	if p := probeOf(probes, lifecycle.Readiness); p != nil {
		most += time.Duration(p.Delay) + time.Duration(p.Successes)*p.timing().Interval() + time.Duration(p.Timeout)
	}
	return most
}

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

// firstAttempt is how long the slowest liveness probe of a workload may take to ask a process first
// that is ready; 0 if there is none.
func (w *Workload) firstAttempt() (slowest time.Duration) {
	for _, c := range w.containers() {
		if p := probeOf(c.Probes, lifecycle.Liveness); p != nil {
			slowest = max(slowest, time.Duration(p.Delay+p.Period+p.Timeout))
		}
	}
	return slowest
}

// again is how long after the start of a process a fault can happen to it: when it is ready, and
// its liveness probe has waited for its delay.
func (w *Workload) again() time.Duration {
	wait := max(time.Duration(w.Start), 2*time.Second)
	if p := w.liveness(); p != nil && p.Delay > 0 {
		wait = max(wait, time.Duration(p.Delay+p.Period))
	}
	return wait
}

// replacement is how long the end of a process may take that is to be replaced.
func (w *Workload) replacement() time.Duration {
	return min(time.Duration(w.Grace), replaceLimit) + ownLag
}

// endsWithin is how long a process may take to end by a signal that asks it to.
func (t *target) endsWithin() time.Duration {
	grace := int64(corev1.DefaultTerminationGracePeriodSeconds) // not that of the liveness probe
	if own := t.spec.TerminationGracePeriodSeconds; own != nil {
		grace = *own
	}
	return min(time.Duration(grace)*time.Second, replaceLimit) + ownLag
}

// restart is how long a replica may take to be ready after its process was started again.
func (w *Workload) restart() time.Duration { return 2*time.Duration(w.Start) + 10*time.Second }

// recovery is how long all replicas may take to be ready after a fault. A fault outside of a
// process may have led to a restart that is still under way, though it should not have: that it was
// for nothing V2 says, and nobody is stuck because of it.
func (f Fault) recovery(w *Workload, killed bool) time.Duration {
	grace := min(time.Duration(w.Grace), replaceLimit)
	switch {
	case f.Kind == KindRollout: // one replica after the other
		return w.restart() + time.Duration(w.Replicas)*(time.Duration(w.Start+w.MinReady)+grace)
	case f.Side() == SideEnd:
		return w.restart() + grace
	case f.Side() == SideInside && killed:
		return w.restart()
	case f.Side() == SideInside:
		return w.restart() + time.Duration(w.Grace)
	}
	wait := w.restart() + grace
	if r := w.readiness(); r != nil {
		wait += time.Duration(r.Successes)*time.Duration(r.Period) + time.Duration(r.Period+r.Timeout) + lagLimit
	}
	return wait
}
