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

// runCheck runs a check once, in the one goroutine that the check has.
func (h *Health) runCheck(ctx context.Context, c *check) {
	o := result{err: errors.New("it ended its goroutine")}
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		now := time.Now()
		h.logPanicLocked(c, o.err)
		c.finish(now, o, rand.Float64)
		h.publishLocked(now)
		h.wakeLocked()
	}()
	o = c.call(ctx)
}

// call calls the function of a check, with its deadline.
func (c *check) call(ctx context.Context) result {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	o := result{err: call(func() error { return c.run(ctx) })}
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
