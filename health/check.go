package health

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// CheckOptions are the settings of one check. The zero value is ready to use.
type CheckOptions struct {
	// Period is the longest time from one run to the next; up to a tenth less, at random, so that
	// replicas do not keep step. Default 5 s. There is no run while [Check.Report] brought good
	// news within the last Period. A resource that is gone is noticed within Period, a hang within
	// Period + Timeout, and at once where business calls Report it; the kubelet knows one period of
	// its own probe later at most.
	Period time.Duration
	// Timeout is when the context of a run ends. Default 2 s. A function that goes on nonetheless
	// fails its check and is named; it keeps its one goroutine, and there is no other run until it
	// returns.
	Timeout time.Duration
	// MaxAge is how old the last result may be; then the check fails, whatever that result was.
	// Default 2 × (Period + Timeout). It must be longer than Period + Timeout.
	MaxAge time.Duration
	// Failures is how many failures in a row make a passing check fail. Default 1: the kubelet has
	// a threshold of its own.
	Failures int
	// Successes is how many successes in a row make a failing check pass. Default 1. The first
	// success of all suffices alone.
	Successes int
	// Pool tells how much of a connection pool is in use, and its size. If the check fails while
	// all of it is, the answer is "pool saturated": slow queries, not a dead database. It must not
	// block.
	Pool func() (inUse, size int)
	// Breaker lets a dependency gate readiness. Nil means that it is reported only. Not for
	// [Health.Ready].
	Breaker *Breaker
}

// Check is what readiness knows of one resource or dependency. Its methods do nothing on a nil
// Check.
type Check struct {
	h     *Health
	check *check
}

// Ready registers a resource that this service owns, such as its database: the service is ready
// only while run returns nil. Pass the function that uses the pool the business uses, as in
// Ready("database", db.PingContext): that proves the pool, and costs no login. It runs in the
// background, first when [Health.Run] begins, never because of a probe. A panic is a failure.
func (h *Health) Ready(name string, run func(context.Context) error, options ...CheckOptions) *Check {
	return h.watch(name, Owned, run, options)
}

// Depends registers a dependency that others own, such as another team's service. It is reported
// and never gates readiness: otherwise one outage would make every replica of every caller unready.
// To let it gate, put it behind a [Breaker].
func (h *Health) Depends(name string, run func(context.Context) error, options ...CheckOptions) *Check {
	return h.watch(name, Dependency, run, options)
}

// Report is what a business call noticed, through the same pool. Good news replaces the next run
// and, if the check was failing, counts as a success; this is cheap enough for every call. Bad news
// makes the check run at once, and if there is nothing but bad news for a whole Period, the check
// fails even if its own run passes. Report only errors that speak of the resource, not those of a
// caller.
func (c *Check) Report(err error) {
	if c == nil {
		return
	}
	now := time.Now()
	if err == nil && c.check.calm.Load() {
		c.check.note(now)
		return
	}
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	c.check.evidence(now, err)
	c.h.publishLocked(now)
	c.h.wakeLocked()
}

// Err returns nil while the check passes, else why not; that text is for logs and operators. A
// caller can use it to fail fast.
func (c *Check) Err() error {
	if c == nil || c.check.good.Load() {
		return nil
	}
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	now := time.Now()
	if c.check.state(now) == stateOK {
		return nil
	}
	return c.check.problem(now)
}

func (h *Health) watch(name string, kind Kind, run func(context.Context) error, options []CheckOptions) *Check {
	o, err := only(options)
	problems := append(o.problems(kind), err)
	if run == nil {
		problems = append(problems, errors.New("it has no function"))
	}
	c := newCheck(name, kind, run, o.withDefaults())
	if !h.register(name, func(b *board) { c.due = time.Now(); b.checks = append(b.checks, c) }, problems...) {
		return nil
	}
	return &Check{h, c}
}

func (o CheckOptions) withDefaults() CheckOptions {
	if o.Period == 0 {
		o.Period = 5 * time.Second
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	if o.MaxAge == 0 {
		o.MaxAge = 2 * (o.Period + o.Timeout)
	}
	if o.Failures == 0 {
		o.Failures = 1
	}
	if o.Successes == 0 {
		o.Successes = 1
	}
	return o
}

func (o CheckOptions) problems(kind Kind) []error {
	errs := []error{
		notNegative("Period", o.Period), notNegative("Timeout", o.Timeout), notNegative("MaxAge", o.MaxAge),
		notNegative("Failures", o.Failures), notNegative("Successes", o.Successes),
	}
	if d := o.withDefaults(); d.MaxAge <= d.Period+d.Timeout {
		errs = append(errs, fmt.Errorf("MaxAge is %v, it must be longer than Period + Timeout, %v", d.MaxAge, d.Period+d.Timeout))
	}
	if o.Breaker != nil {
		errs = append(errs, o.Breaker.problems()...)
		if kind == Owned {
			errs = append(errs, errors.New("a Breaker is for Depends: what is owned gates anyway"))
		}
	}
	return errs
}
