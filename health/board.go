package health

import (
	"slices"
	"strings"
	"time"
)

// phase is where the service is in its life.
type phase int

const (
	idle     phase = iota // Run has not begun
	running               // Run checks
	stopping              // asked to end: unready, serving what still comes
	stopped               // Run has returned
)

// board is all that is known, and what follows from it at an instant. It has no clock, lock or
// goroutine: [Health] guards it and tells it the time.
type board struct {
	phase    phase
	started  time.Time // when all tasks were done; it latches
	stopping time.Time // when the stop was asked for
	wasReady bool      // traffic may have come

	tasks  []*task
	checks []*check
	loops  []*loop
}

// verdict is the answer to one probe.
type verdict struct {
	ok   bool
	text string // one or two short lines, without anything that changes by the second
}

func (b *board) has(name string) bool {
	return slices.ContainsFunc(b.tasks, func(t *task) bool { return t.name == name }) ||
		slices.ContainsFunc(b.checks, func(c *check) bool { return c.name == name }) ||
		slices.ContainsFunc(b.loops, func(l *loop) bool { return l.name == name })
}

// remove forgets a heartbeat.
func (b *board) remove(gone *loop) {
	b.loops = slices.DeleteFunc(b.loops, func(l *loop) bool { return l == gone })
}

// begin starts the clock of everything that is waited for.
func (b *board) begin(now time.Time) {
	for _, t := range b.tasks {
		t.moved = now
	}
	b.latch(now)
}

// tick does what time alone brings about, and returns the checks that have to run now.
func (b *board) tick(now time.Time, random func() float64) (due []*check) {
	b.latch(now)
	for _, c := range b.checks {
		if c.tick(now, random) && b.phase == running {
			c.start(now)
			due = append(due, c)
		}
	}
	return due
}

// latch notices that the start is over. That is final (as it is for the kubelet, R38).
func (b *board) latch(now time.Time) {
	undone := slices.ContainsFunc(b.tasks, func(t *task) bool { return !t.done })
	if b.started.IsZero() && b.phase == running && !undone {
		b.started = now
	}
}

// failure returns why the start can never be over.
func (b *board) failure(now time.Time) error {
	for _, t := range b.tasks {
		if err := t.failure(now); err != nil && b.phase == running {
			return err
		}
	}
	return nil
}

// verdicts answers the three probes.
func (b *board) verdicts(now time.Time) [3]verdict {
	return [3]verdict{b.startup(now), b.readiness(now), b.liveness(now)}
}

func (b *board) startup(now time.Time) verdict {
	switch {
	case !b.started.IsZero():
		return verdict{true, "ok"}
	case b.phase == idle:
		return verdict{false, "not started: Run has not been called"}
	case b.phase != running:
		return verdict{false, "stopping"}
	}
	var undone []string
	for _, t := range b.tasks {
		if !t.done {
			undone = append(undone, t.label(now))
		}
	}
	return verdict{false, "starting: " + strings.Join(undone, "; ")}
}

func (b *board) readiness(now time.Time) verdict {
	switch {
	case b.phase == idle:
		return verdict{false, "not ready: Run has not been called"}
	case b.phase != running:
		return verdict{false, "stopping"}
	case b.started.IsZero():
		return verdict{false, "starting"}
	}
	var failing, degraded []string
	for _, c := range b.checks {
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

// liveness is judged from the end of the start to the beginning of the stop: before and after,
// silence is no sign of a hang.
func (b *board) liveness(now time.Time) verdict {
	var silent []string
	for _, l := range b.loops {
		if b.judges() && l.state(b.started, now) != stateOK {
			silent = append(silent, l.name)
		}
	}
	if silent != nil {
		return verdict{false, "not live: no heartbeat of " + strings.Join(silent, ", ")}
	}
	return verdict{true, "ok"}
}

// judges says whether heartbeats count.
func (b *board) judges() bool { return b.phase == running && !b.started.IsZero() }

// deadline is when tick and verdicts have to be asked again if nothing happens before.
func (b *board) deadline(now time.Time) time.Time {
	next := now.Add(time.Minute)
	if b.phase != running {
		return next
	}
	if b.started.IsZero() {
		next = now.Add(time.Second) // progress is rendered once a second
		for _, t := range b.tasks {
			next = earliest(next, t.deadline(), now)
		}
	}
	for _, c := range b.checks {
		next = c.deadline(next, now)
	}
	if b.judges() {
		for _, l := range b.loops {
			next = earliest(next, l.deadline(b.started, now), now)
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
