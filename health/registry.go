package health

import (
	"slices"
	"time"
)

// progressPeriod is how often progress of the start is rendered.
const progressPeriod = time.Second

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
	names      map[string]bool // of all of them
	timeline   timeline

	failing, degraded, silent int       // how many checks fail and count, fail and do not count, and how many heartbeats are missing
	stale                     bool      // the answers have to be rendered again
	rendered                  time.Time // when they were
	noted                     []*check  // those whose state may have to be logged
}

// take makes a name one that is taken.
func (r *registry) take(name string) {
	if r.names == nil {
		r.names = map[string]bool{}
	}
	r.names[name], r.stale = true, true
}

func (r *registry) addHeartbeat(l *heartbeat, now time.Time) {
	r.heartbeats = append(r.heartbeats, l)
	r.noteHeartbeat(l, now)
}

func (r *registry) removeHeartbeat(gone *heartbeat) {
	r.heartbeats = slices.DeleteFunc(r.heartbeats, func(l *heartbeat) bool { return l == gone })
	r.setSilent(gone, false)
	r.timeline.remove(&gone.item)
	delete(r.names, gone.name)
}

func (r *registry) removeCheck(gone *check) {
	r.checks = slices.DeleteFunc(r.checks, func(c *check) bool { return c == gone })
	r.count(gone, -1)
	r.timeline.remove(&gone.item)
	delete(r.names, gone.name)
	r.stale = true
}

// begin makes the stall times of the tasks count from now.
func (r *registry) begin(now time.Time, random func() float64) {
	for _, t := range r.tasks {
		t.moved = now
	}
	r.enter(running, now, random)
	r.latch(now)
}

// enter begins a phase.
func (r *registry) enter(p phase, now time.Time, random func() float64) {
	r.phase, r.stale = p, true
	r.noteAll(now, random)
}

// tick changes what time alone changes, and returns the checks that have to run now.
func (r *registry) tick(now time.Time, random func() float64) (due []*check) {
	r.latch(now)
	if r.started.IsZero() && now.Sub(r.rendered) >= progressPeriod {
		r.stale = true
	}
	for next := r.timeline.next(); next != nil && !next.at.After(now); next = r.timeline.next() {
		if next.heartbeat != nil {
			r.noteHeartbeat(next.heartbeat, now)
			continue
		}
		c := next.check
		if c.tick(now, random) && r.phase == running {
			c.start(now)
			due = append(due, c)
		}
		r.noteCheck(c, now, random)
	}
	return due
}

// latch sets started when all tasks are done. That is final (as it is for the kubelet, R38).
func (r *registry) latch(now time.Time) {
	if !r.started.IsZero() || r.phase != running || slices.ContainsFunc(r.tasks, func(t *task) bool { return !t.done }) {
		return
	}
	r.started, r.stale = now, true
	for _, l := range r.heartbeats {
		r.noteHeartbeat(l, now)
	}
}

// noteAll looks at everything.
func (r *registry) noteAll(now time.Time, random func() float64) {
	for _, c := range r.checks {
		r.noteCheck(c, now, random)
	}
	for _, l := range r.heartbeats {
		r.noteHeartbeat(l, now)
	}
}

// noteCheck looks at a check of which something has changed, and says when to look again.
func (r *registry) noteCheck(c *check, now time.Time, random func() float64) {
	c.update(now, random)
	if state, counts := c.state(now), c.gates(); state != c.known || counts != c.counts {
		r.count(c, -1)
		c.known, c.counts = state, counts
		r.count(c, +1)
		r.stale = true
	}
	if c.known != c.logged {
		r.noted = append(r.noted, c)
	}
	r.timeline.set(&c.item, c.lookAt(now, r.phase == running))
}

// count adds a check to the numbers of those that fail, or takes it away.
func (r *registry) count(c *check, n int) {
	switch {
	case c.known == stateOK || c.known == "":
	case c.counts:
		r.failing += n
	default:
		r.degraded += n
	}
}

// noteHeartbeat looks at a heartbeat, and says when to look again.
func (r *registry) noteHeartbeat(l *heartbeat, now time.Time) {
	missing := func() bool { return r.heartbeatsCount() && l.state(r.started, now) != stateOK }
	r.setSilent(l, missing())
	if l.silent.Load() && !missing() { // it beat in the meantime, and did not see that it is silent
		r.setSilent(l, false)
	}
	next := now.Add(time.Minute)
	if r.heartbeatsCount() {
		next = earliest(next, l.deadline(r.started, now), now)
	}
	r.timeline.set(&l.item, next)
}

func (r *registry) setSilent(l *heartbeat, silent bool) {
	if l.silent.Swap(silent) == silent {
		return
	}
	r.stale = true
	if silent {
		r.silent++
	} else {
		r.silent--
	}
}

// failure returns why the start can never be over, or nil.
func (r *registry) failure(now time.Time) error {
	if r.phase != running || !r.started.IsZero() {
		return nil
	}
	for _, t := range r.tasks {
		if err := t.failure(now); err != nil {
			return err
		}
	}
	return nil
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
		next = r.rendered.Add(progressPeriod)
		for _, t := range r.tasks {
			next = earliest(next, t.deadline(), now)
		}
	}
	if first := r.timeline.next(); first != nil && first.at.Before(next) {
		next = first.at
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
