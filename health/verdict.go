package health

import "time"

// verdict is the answer to one probe.
type verdict struct {
	ok   bool
	text string // one or two short lines, without anything that changes by the second
}

// verdicts answers the three probes.
func (r *registry) verdicts(now time.Time) [3]verdict {
	return [3]verdict{r.startup(now), r.readiness(), r.liveness()}
}

func (r *registry) startup(now time.Time) verdict {
	switch {
	case !r.started.IsZero():
		return verdict{true, "ok"}
	case r.phase == created:
		return verdict{false, "not started: Run has not been called"}
	case r.phase != running:
		return verdict{false, "stopping"}
	}
	undone := list{}
	for _, t := range r.tasks {
		if !t.done {
			undone.add(func() string { return t.label(now) })
		}
	}
	return verdict{false, "starting: " + undone.join("; ")}
}

func (r *registry) readiness() verdict {
	switch {
	case r.phase == created:
		return verdict{false, "not ready: Run has not been called"}
	case r.phase != running:
		return verdict{false, "stopping"}
	case r.started.IsZero():
		return verdict{false, "starting"}
	}
	switch {
	case r.failing > 0:
		return verdict{false, "not ready: " + r.failed(true, r.failing)}
	case r.degraded > 0:
		return verdict{true, "ok\ndegraded: " + r.failed(false, r.degraded)}
	}
	return verdict{true, "ok"}
}

// failed lists the checks that fail and count, or do not; there are n.
func (r *registry) failed(count bool, n int) string {
	failed := list{total: n}
	for _, c := range r.checks {
		if failed.full() {
			break
		}
		if c.counts == count && c.known != stateOK {
			failed.add(func() string { return c.name + " " + c.known })
		}
	}
	return failed.join(", ")
}

// liveness follows the heartbeats from the end of the start to the beginning of the stop: before
// and after, a missing beat is no sign of a hang.
func (r *registry) liveness() verdict {
	if r.silent == 0 {
		return verdict{true, "ok"}
	}
	silent := list{total: r.silent}
	for _, l := range r.heartbeats {
		if silent.full() {
			break
		}
		if l.silent.Load() {
			silent.add(func() string { return l.name })
		}
	}
	return verdict{false, "not live: no heartbeat of " + silent.join(", ")}
}
