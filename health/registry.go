package health

import (
	"slices"
	"strings"
	"time"
)

// phase is how far the service has come, from New to the end of Run.
type phase int

const (
	created  phase = iota // Run has not begun
	running               // Run checks
	stopping              // asked to end: unready, serving what still comes
	stopped               // Run has returned
)

// registry is all that was registered, with what is known of it, and decides what follows from that
// at an instant. It has no clock, lock or goroutine: [Health] locks it and passes the time.
type registry struct {
	phase    phase
	started  time.Time // when all tasks were done; never changes after that
	stopping time.Time // when the stop was asked for
	wasReady bool      // so traffic may have come

	tasks      []*task
	checks     []*check
	heartbeats []*heartbeat
}

// verdict is the answer to one probe.
type verdict struct {
	ok   bool
	text string // one or two short lines, without anything that changes by the second
}

func (r *registry) has(name string) bool {
	return slices.ContainsFunc(r.tasks, func(t *task) bool { return t.name == name }) ||
		slices.ContainsFunc(r.checks, func(c *check) bool { return c.name == name }) ||
		slices.ContainsFunc(r.heartbeats, func(l *heartbeat) bool { return l.name == name })
}

// remove takes a heartbeat out.
func (r *registry) remove(gone *heartbeat) {
	r.heartbeats = slices.DeleteFunc(r.heartbeats, func(l *heartbeat) bool { return l == gone })
}

// begin makes the stall times of the tasks count from now.
func (r *registry) begin(now time.Time) {
	for _, t := range r.tasks {
		t.moved = now
	}
	r.latch(now)
}

// tick changes what time alone changes, and returns the checks that have to run now.
func (r *registry) tick(now time.Time, random func() float64) (due []*check) {
	r.latch(now)
	for _, c := range r.checks {
		if c.tick(now, random) && r.phase == running {
			c.start(now)
			due = append(due, c)
		}
	}
	return due
}

// latch sets started when all tasks are done. That is final (as it is for the kubelet, R38).
func (r *registry) latch(now time.Time) {
	undone := slices.ContainsFunc(r.tasks, func(t *task) bool { return !t.done })
	if r.started.IsZero() && r.phase == running && !undone {
		r.started = now
	}
}

// failure returns why the start can never be over, or nil.
func (r *registry) failure(now time.Time) error {
	for _, t := range r.tasks {
		if err := t.failure(now); err != nil && r.phase == running {
			return err
		}
	}
	return nil
}

// verdicts answers the three probes.
func (r *registry) verdicts(now time.Time) [3]verdict {
	return [3]verdict{r.startup(now), r.readiness(now), r.liveness(now)}
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
	var undone []string
	for _, t := range r.tasks {
		if !t.done {
			undone = append(undone, t.label(now))
		}
	}
	return verdict{false, "starting: " + strings.Join(undone, "; ")}
}

func (r *registry) readiness(now time.Time) verdict {
	switch {
	case r.phase == created:
		return verdict{false, "not ready: Run has not been called"}
	case r.phase != running:
		return verdict{false, "stopping"}
	case r.started.IsZero():
		return verdict{false, "starting"}
	}
	var failing, degraded []string
	for _, c := range r.checks {
		switch state := c.state(now); {
		case c.gates():
			if state != stateOK {
				failing = append(failing, c.name+" "+state)
			}
		case state != stateOK:
			degraded = append(degraded, c.name+" "+state)
		}
	}
	if failing != nil {
		return verdict{false, "not ready: " + strings.Join(failing, ", ")}
	}
	if degraded != nil {
		return verdict{true, "ok\ndegraded: " + strings.Join(degraded, ", ")}
	}
	return verdict{true, "ok"}
}

// liveness follows the heartbeats from the end of the start to the beginning of the stop: before
// and after, a missing beat is no sign of a hang.
func (r *registry) liveness(now time.Time) verdict {
	var silent []string
	for _, l := range r.heartbeats {
		if r.heartbeatsCount() && l.state(r.started, now) != stateOK {
			silent = append(silent, l.name)
		}
	}
	if silent != nil {
		return verdict{false, "not live: no heartbeat of " + strings.Join(silent, ", ")}
	}
	return verdict{true, "ok"}
}

// heartbeatsCount reports whether heartbeats decide liveness now.
func (r *registry) heartbeatsCount() bool { return r.phase == running && !r.started.IsZero() }

// deadline is when tick and verdicts have to be called again if nothing happens before.
func (r *registry) deadline(now time.Time) time.Time {
	next := now.Add(time.Minute)
	if r.phase != running {
		return next
	}
	if r.started.IsZero() {
		next = now.Add(time.Second) // progress is rendered once a second
		for _, t := range r.tasks {
			next = earliest(next, t.deadline(), now)
		}
	}
	for _, c := range r.checks {
		next = c.deadline(next, now)
	}
	if r.heartbeatsCount() {
		for _, l := range r.heartbeats {
			next = earliest(next, l.deadline(r.started, now), now)
		}
	}
	return next
}

// earliest returns the earlier of two instants, ignoring a candidate that is not in the future.
func earliest(next, candidate, now time.Time) time.Time {
	if candidate.After(now) && candidate.Before(next) {
		return candidate
	}
	return next
}
