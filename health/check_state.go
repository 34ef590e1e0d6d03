package health

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// slack is how long after its deadline a run is called stuck: a function that obeys its context
// returns right at the deadline.
const slack = 100 * time.Millisecond

// check is the state of a Check. It has no clock: its methods take the instant.
type check struct {
	item    item
	name    string
	kind    Kind
	run     func(context.Context) error
	options CheckOptions
	circuit circuitBreaker

	due      time.Time // the next run, unless one is under way
	runs     int       // how many began: the number of the last one
	cancel   func()    // ends the context of the run that is under way
	running  time.Time // when the run that is under way began; zero: none
	overdue  bool      // that run has been counted as a failure, since it goes on after its deadline
	resultAt time.Time // the end of the last run
	duration time.Duration
	err      error  // the last failure
	pool     string // its pool was saturated: "8/8 in use"

	healthy           bool // by the thresholds
	proven            bool // it has succeeded once
	goodRow, badRow   int  // results in a row
	succeeded, failed uint64

	failuresSince, lastFailure time.Time // the first and last reported failure, without a reported success between

	base        time.Time
	lastSuccess atomic.Int64 // the last reported success, since base; 0: none
	clean       atomic.Bool  // it passes and no failure was reported: then a success needs no lock
	passing     atomic.Bool  // it passes
	removed     atomic.Bool
	known       string // the state that the answers have; "" before there is one
	counts      bool   // it counts for readiness in the answers
	logged      string // what was logged last
	panics      bool   // the last run did
}

func newCheck(name string, kind Kind, run func(context.Context) error, o CheckOptions) *check {
	c := &check{name: name, kind: kind, run: run, options: o, base: time.Now()}
	c.item.check = c
	if o.CircuitBreaker != nil {
		c.circuit.options = o.CircuitBreaker.withDefaults()
	}
	return c
}

func (c *check) start(now time.Time) {
	c.running, c.overdue = now, false
	c.runs++
}

// abandon makes the result of the run that is under way count for nothing.
func (c *check) abandon() {
	if c.cancel != nil {
		c.cancel()
	}
	c.running, c.overdue = time.Time{}, false
	c.runs++
}

// finish takes the result of the run that is under way. One that comes too late has been counted
// at its deadline.
func (c *check) finish(now time.Time, o result, random func() float64) {
	took, counted := now.Sub(c.running), c.overdue
	c.due = c.running.Add(jitter(c.options.Period, random))
	c.running, c.overdue = time.Time{}, false
	c.resultAt, c.duration, c.pool = now, took, o.pool
	if o.err == nil && took > c.options.Timeout {
		o.err = fmt.Errorf("it took %v, deadline %v", short(took), c.options.Timeout)
	}
	if counted && o.err != nil {
		c.err = o.err
		return
	}
	c.observe(o.err)
}

// observe counts one result.
func (c *check) observe(err error) {
	if err != nil {
		c.err = err
		c.failed++
		c.badRow, c.goodRow = c.badRow+1, 0
		c.healthy = c.healthy && c.badRow < c.options.Failures
		return
	}
	c.succeeded++
	c.goodRow, c.badRow = c.goodRow+1, 0
	c.healthy = c.healthy || !c.proven || c.goodRow >= c.options.Successes
	c.proven, c.pool = true, ""
}

// noteSuccess remembers that success was reported. Many goroutines may call it, so it writes at
// most every 10 ms.
func (c *check) noteSuccess(now time.Time) {
	at, last := int64(now.Sub(c.base)), c.lastSuccess.Load()
	if last == 0 || at-last > int64(10*time.Millisecond) {
		c.lastSuccess.Store(max(1, at))
	}
}

// reported takes the outcome of a call of the application.
func (c *check) reported(now time.Time, err error) {
	if err == nil {
		c.lastSuccess.Store(max(1, int64(now.Sub(c.base))))
		c.failuresSince, c.lastFailure = time.Time{}, time.Time{}
		if !c.healthy {
			c.observe(nil)
		}
		return
	}
	if c.failuresSince.IsZero() || now.Sub(c.lastFailure) > c.options.Period {
		c.failuresSince = now
	}
	c.lastFailure, c.err = now, err
	// at once, but at most ten times a Period
	if soon := c.resultAt.Add(c.options.Period / 10); soon.Before(c.due) {
		c.due = soon
	}
}

// tick changes what time alone changes, and reports whether the check has to run now.
func (c *check) tick(now time.Time, random func() float64) (due bool) {
	if !c.running.IsZero() {
		if !c.overdue && !now.Before(c.running.Add(c.options.Timeout+slack)) {
			c.overdue = true
			c.observe(fmt.Errorf("it has not returned %v after its context ended", slack))
		}
		return false
	}
	if now.Before(c.due) {
		return false
	}
	if last := c.reportedSuccess(); c.clean.Load() && now.Sub(last) < c.options.Period {
		c.due = last.Add(jitter(c.options.Period, random))
		return !now.Before(c.due)
	}
	return true
}

// reportedSuccess is when the application last reported success; zero: never.
func (c *check) reportedSuccess() time.Time {
	if at := c.lastSuccess.Load(); at != 0 {
		return c.base.Add(time.Duration(at))
	}
	return time.Time{}
}

// latest is when the check last succeeded or failed, or success was reported.
func (c *check) latest() time.Time {
	if last := c.reportedSuccess(); last.After(c.resultAt) {
		return last
	}
	return c.resultAt
}

// state is what is known, as one of the words in report.go.
func (c *check) state(now time.Time) string {
	stale := now.Sub(c.latest()) >= c.options.MaxAge
	switch {
	case c.healthy && !stale && !c.onlyFailures(now):
		return stateOK
	case c.overdue:
		return stateStuck
	case c.latest().IsZero() && c.lastFailure.IsZero():
		return statePending
	case c.healthy && stale:
		return stateStale
	case c.pool != "":
		return stateSaturated
	}
	return stateFailing
}

// onlyFailures reports whether nothing but failures was reported for a whole Period.
func (c *check) onlyFailures(now time.Time) bool {
	return !c.lastFailure.IsZero() && c.lastFailure.Sub(c.failuresSince) >= c.options.Period && now.Sub(c.lastFailure) < c.options.MaxAge
}

// gates reports whether the check counts for readiness.
func (c *check) gates() bool { return c.kind == Owned || c.circuit.open() }

// update sets what others read without a lock, and the circuit breaker.
func (c *check) update(now time.Time, random func() float64) {
	ok := c.state(now) == stateOK
	c.passing.Store(ok)
	c.clean.Store(ok && c.failuresSince.IsZero())
	if c.options.CircuitBreaker != nil {
		c.circuit.observe(ok, now, random)
	}
}

// lookAt is when the check has to be looked at, given whether it may run.
func (c *check) lookAt(now time.Time, mayRun bool) time.Time {
	if mayRun && c.running.IsZero() && !now.Before(c.due) {
		return now
	}
	return c.deadline(now.Add(time.Minute), now)
}

// deadline returns next, or the earlier instant at which time alone changes something.
func (c *check) deadline(next, now time.Time) time.Time {
	if c.running.IsZero() {
		next = earliest(next, c.due, now)
	} else {
		next = earliest(next, c.running.Add(c.options.Timeout+slack), now)
	}
	next = earliest(next, c.latest().Add(c.options.MaxAge), now)
	next = earliest(next, c.lastFailure.Add(c.options.MaxAge), now)
	return earliest(next, c.circuit.until, now)
}

// jitter returns d, or up to a tenth less: never more, so that d can be relied on.
func jitter(d time.Duration, random func() float64) time.Duration {
	return time.Duration(float64(d) * (1 - 0.1*random()))
}
