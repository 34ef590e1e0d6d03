package health

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// slack is how long after its deadline a run is waited for before it is called stuck: one that
// heeds its context returns right then.
const slack = 100 * time.Millisecond

// check is the state of a Check: facts in, verdict out, at instants it is told.
type check struct {
	name    string
	kind    Kind
	run     func(context.Context) error
	options CheckOptions
	breaker breaker

	due      time.Time // the next run, unless one is under way
	running  time.Time // when the run that is under way began; zero: none
	overdue  bool      // that run has been counted as a failure
	resultAt time.Time // the end of the last run
	duration time.Duration
	err      error  // the last failure
	pool     string // its pool was saturated: "8/8 in use"

	healthy           bool // what the thresholds say
	proven            bool // it has succeeded once
	goodRow, badRow   int  // results in a row
	succeeded, failed uint64

	badSince, badAt time.Time // first and last bad news, without good news between

	base   time.Time
	noted  atomic.Int64 // the last good news since base; 0: never
	calm   atomic.Bool  // it passes and there is no bad news
	good   atomic.Bool  // it passes
	logged string       // what was logged last
}

func newCheck(name string, kind Kind, run func(context.Context) error, o CheckOptions) *check {
	c := &check{name: name, kind: kind, run: run, options: o, base: time.Now()}
	if o.Breaker != nil {
		c.breaker.options = o.Breaker.withDefaults()
	}
	return c
}

func (c *check) start(now time.Time) { c.running, c.overdue = now, false }

// finish takes the outcome of the run that is under way. One that comes too late has been counted
// at its deadline.
func (c *check) finish(now time.Time, o outcome, random func() float64) {
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

// note remembers good news. Many goroutines may call it, so it writes only now and then.
func (c *check) note(now time.Time) {
	at, last := int64(now.Sub(c.base)), c.noted.Load()
	if last == 0 || at-last > int64(10*time.Millisecond) {
		c.noted.Store(max(1, at))
	}
}

// evidence takes news of business calls.
func (c *check) evidence(now time.Time, err error) {
	if err == nil {
		c.noted.Store(max(1, int64(now.Sub(c.base))))
		c.badSince, c.badAt = time.Time{}, time.Time{}
		if !c.healthy {
			c.observe(nil)
		}
		return
	}
	if c.badSince.IsZero() || now.Sub(c.badAt) > c.options.Period {
		c.badSince = now
	}
	c.badAt, c.err = now, err
	// at once, but not all the time
	if soon := c.resultAt.Add(c.options.Period / 10); soon.Before(c.due) {
		c.due = soon
	}
}

// tick does what time alone brings about, and says whether the check has to run now.
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
	if good := c.goodNews(); c.calm.Load() && now.Sub(good) < c.options.Period {
		c.due = good.Add(jitter(c.options.Period, random))
		return !now.Before(c.due)
	}
	return true
}

// goodNews is when business last reported success; zero: never.
func (c *check) goodNews() time.Time {
	if at := c.noted.Load(); at != 0 {
		return c.base.Add(time.Duration(at))
	}
	return time.Time{}
}

// fresh is when anything good or bad was known last.
func (c *check) fresh() time.Time {
	if good := c.goodNews(); good.After(c.resultAt) {
		return good
	}
	return c.resultAt
}

// state is one word for what is known.
func (c *check) state(now time.Time) string {
	stale := now.Sub(c.fresh()) >= c.options.MaxAge
	condemned := c.condemned(now)
	switch {
	case c.healthy && !stale && !condemned:
		return stateOK
	case c.overdue:
		return stateStuck
	case c.fresh().IsZero() && c.badAt.IsZero():
		return statePending
	case c.healthy && stale:
		return stateStale
	case c.pool != "":
		return stateSaturated
	}
	return stateFailing
}

// condemned says whether there has been nothing but bad news for a whole Period.
func (c *check) condemned(now time.Time) bool {
	return !c.badAt.IsZero() && c.badAt.Sub(c.badSince) >= c.options.Period && now.Sub(c.badAt) < c.options.MaxAge
}

// gates says whether the check counts for readiness.
func (c *check) gates() bool { return c.kind == Owned || c.breaker.open() }

// settle brings up to date what others read without a lock.
func (c *check) settle(now time.Time, random func() float64) {
	ok := c.state(now) == stateOK
	c.good.Store(ok)
	c.calm.Store(ok && c.badSince.IsZero())
	if c.options.Breaker != nil {
		c.breaker.see(ok, now, random)
	}
}

// deadline returns next, or the earlier instant at which time alone changes something.
func (c *check) deadline(next, now time.Time) time.Time {
	if c.running.IsZero() {
		next = earliest(next, c.due, now)
	} else {
		next = earliest(next, c.running.Add(c.options.Timeout+slack), now)
	}
	next = earliest(next, c.fresh().Add(c.options.MaxAge), now)
	next = earliest(next, c.badAt.Add(c.options.MaxAge), now)
	return earliest(next, c.breaker.until, now)
}

// jitter is d, or up to a tenth less: never more, so that d is a promise.
func jitter(d time.Duration, random func() float64) time.Duration {
	return time.Duration(float64(d) * (1 - 0.1*random()))
}
