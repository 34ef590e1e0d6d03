package health

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// outcome is what a run brought.
type outcome struct {
	err  error
	pool string // "8/8 in use" if the pool was saturated
}

// attempt runs a check once, in the one goroutine that the check has.
func (h *Health) attempt(ctx context.Context, c *check) {
	o := outcome{err: errors.New("it ended its goroutine")}
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		now := time.Now()
		c.finish(now, o, rand.Float64)
		h.publishLocked(now)
		h.wakeLocked()
	}()
	o = c.call(ctx)
}

// call runs the function of a check in this goroutine, with its deadline.
func (c *check) call(ctx context.Context) outcome {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	o := outcome{err: guard(func() error { return c.run(ctx) })}
	if o.err != nil && c.options.Pool != nil {
		err := guard(func() error {
			if inUse, size := c.options.Pool(); size > 0 && inUse >= size {
				o.pool = fmt.Sprintf("%d/%d in use", inUse, size)
			}
			return nil
		})
		o.err = errors.Join(o.err, err)
	}
	return o
}

// guard makes a panic an error.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v", p)
		}
	}()
	return f()
}
