package health

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// CheckOptions are the settings of one check. The zero value is ready to use.
type CheckOptions struct {
	// Period is the longest time from one run to the next; the real one is up to a tenth shorter,
	// at random, so that replicas do not check at the same time. Default 5 s. There is no run if
	// success was reported ([Check.Report]) within the last Period. A resource that is gone is
	// noticed within Period, one that hangs within Period + Timeout, and both at once if the
	// application reports it; the kubelet learns of it at most one period of its own probe later.
	Period time.Duration
	// Timeout is when the context of a run ends. Default 2 s. If the function goes on nonetheless,
	// its check fails as "stuck"; it keeps its one goroutine, and there is no other run until it
	// returns.
	Timeout time.Duration
	// MaxAge is how old the last result may be. If it is older, the check fails, whatever the
	// result was. Default 2 × (Period + Timeout). It must be longer than Period + Timeout.
	MaxAge time.Duration
	// Failures is how many failures in a row make a passing check fail. Default 1: the kubelet has
	// a threshold of its own.
	Failures int
	// Successes is how many successes in a row make a failing check pass. Default 1. The first
	// success since the start is always enough.
	Successes int
	// Pool returns how many connections of a pool are in use, and its size. If the check fails
	// while all are in use, the answer is "pool saturated": the queries are slow, the database is
	// there. It must not block.
	Pool func() (inUse, size int)
	// CircuitBreaker lets a dependency count for readiness. Nil means that it is reported only. Not
	// for [Health.Ready].
	CircuitBreaker *CircuitBreaker
}

// Check is one registered resource or dependency. Its methods do nothing on a nil Check and after
// Remove.
type Check struct {
	h     *Health
	check *check
}

// Ready registers a resource that this service owns, such as its database: the service is ready
// only while run returns nil. Pass a function that uses the pool that the application uses, as in
// Ready("database", db.PingContext): that checks the pool too, and needs no new login. It runs in
// the background, first when [Health.Run] begins, never because of a probe. A panic is a failure.
func (h *Health) Ready(name string, run func(context.Context) error, options ...CheckOptions) *Check {
	return h.watch(name, Owned, run, options)
}

// Depends registers a dependency that others own, such as another team's service. It is reported
// and does not count for readiness: otherwise one outage would make every replica of every caller
// unready. To let it count, give it a [CircuitBreaker].
func (h *Health) Depends(name string, run func(context.Context) error, options ...CheckOptions) *Check {
	return h.watch(name, Dependency, run, options)
}

// Report takes the outcome of a call that the application itself made, through the same pool. Nil
// replaces the next run and, if the check was failing, counts as a success; this is cheap enough
// for every call. An error makes the check run at once, and if nothing but errors is reported for a
// whole Period, the check fails even if its own runs pass. Report only errors of the resource, not
// those of a caller that gave up.
func (c *Check) Report(err error) {
	if c == nil || c.check.removed.Load() {
		return
	}
	err, now := taken(err), time.Now()
	if err == nil && c.check.clean.Load() {
		c.check.noteSuccess(now)
		return
	}
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	if c.check.removed.Load() {
		return
	}
	c.check.reported(now, err)
	c.h.changedLocked(c.check, now)
}

// Replace gives the check another function, such as a ping of the pool that has taken the place of
// another. It runs at once; until it has a result, that of the old one stands. A run of the old one
// that is under way counts for nothing.
func (c *Check) Replace(run func(context.Context) error) {
	if c == nil {
		return
	}
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	switch now := time.Now(); {
	case c.check.removed.Load():
	case run == nil:
		c.h.misusedLocked(fmt.Errorf("cannot replace %q: it has no function", c.check.name))
	default:
		c.check.abandon()
		c.check.run, c.check.due = run, now
		c.h.changedLocked(c.check, now)
	}
}

// Remove takes the check out: it counts no longer, and its name is free.
func (c *Check) Remove() {
	if c == nil || c.check.removed.Swap(true) {
		return
	}
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	c.check.abandon()
	c.h.registry.removeCheck(c.check)
	c.h.publishLocked(time.Now())
}

// Err returns nil while the check passes, else the reason, for logs and operators. The application
// can use it to fail fast.
func (c *Check) Err() error {
	if c == nil || c.check.passing.Load() || c.check.removed.Load() {
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
	if !h.register(name, func(r *registry, now time.Time) {
		c.due = now
		r.checks = append(r.checks, c)
		r.noteCheck(c, now, rand.Float64)
	}, problems...) {
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
		optional("Period", o.Period), optional("Timeout", o.Timeout), optional("MaxAge", o.MaxAge),
		notNegative("Failures", o.Failures), notNegative("Successes", o.Successes),
	}
	if d := o.withDefaults(); d.MaxAge <= d.Period+d.Timeout {
		errs = append(errs, fmt.Errorf("MaxAge is %v, it must be longer than Period + Timeout, %v", d.MaxAge, d.Period+d.Timeout))
	}
	if o.CircuitBreaker != nil {
		errs = append(errs, o.CircuitBreaker.problems()...)
		if kind == Owned {
			errs = append(errs, errors.New("a CircuitBreaker is for Depends: what is owned gates anyway"))
		}
	}
	return errs
}
