package health

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// result is how a run of a check ended.
type result struct {
	err  error
	pool string // "8/8 in use" if the pool was saturated
}

// startLocked starts a run of a check that is due, with its deadline, in the one goroutine that the
// check has.
func (h *Health) startLocked(c *check) {
	ctx, cancel := context.WithTimeout(h.run.group.ctx, c.options.Timeout)
	run, number := c.run, c.runs
	c.cancel = cancel
	h.run.group.start(goroutine{c.name, func(context.Context) {
		defer cancel()
		h.runCheck(ctx, c, run, number)
	}})
}

// runCheck calls the function of a check, and takes its result unless the check was removed or got
// another function in the meantime.
func (h *Health) runCheck(ctx context.Context, c *check, run func(context.Context) error, number int) {
	o := result{err: errors.New("it ended its goroutine")}
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if c.runs != number {
			return
		}
		now := time.Now()
		h.logPanicLocked(c, o.err)
		c.finish(now, o, rand.Float64)
		h.changedLocked(c, now)
	}()
	o = c.call(ctx, run)
}

// call calls the function of a check.
func (c *check) call(ctx context.Context, run func(context.Context) error) result {
	o := result{err: call(func() error { return run(ctx) })}
	if o.err != nil && c.options.Pool != nil {
		err := call(func() error {
			if inUse, size := c.options.Pool(); size > 0 && inUse >= size {
				o.pool = fmt.Sprintf("%d/%d in use", inUse, size)
			}
			return nil
		})
		o.err = errors.Join(o.err, err)
	}
	return o
}
