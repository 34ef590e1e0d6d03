package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/probity-run/probity/probe"
)

// stallPeriod is the time between two ticks of a stallClock: that of the grid on which runners wake
// up for probes that are due, so that a tick costs no wake-up of its own.
const stallPeriod = gridStep

// stallTolerance is the longest time between two ticks that counts as no stall: a machine that has
// something to do is that late now and then.
const stallTolerance = 2 * stallPeriod

// stallClock measures for how long this process was stalled, that is, did not run although it
// wanted to: because it was stopped, because the machine was suspended, or because other processes
// had the processors. Its own ticks come late then. The zero value has never ticked and never
// stalled.
type stallClock struct {
	mu    sync.Mutex // guards what follows
	last  time.Time  // the last tick
	total time.Duration
}

// run ticks until the context is done, and calls also after each tick.
func (c *stallClock) run(ctx context.Context, also func()) {
	ticker := time.NewTicker(stallPeriod)
	defer ticker.Stop()
	for {
		c.tick(time.Now())
		also()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (c *stallClock) tick(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total += c.overdueLocked(now)
	c.last = now
}

// stalled is for how long in all the process was stalled until now, with the tick that is overdue.
func (c *stallClock) stalled(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total + c.overdueLocked(now)
}

func (c *stallClock) overdueLocked(now time.Time) time.Duration {
	if c.last.IsZero() {
		return 0
	}
	return max(0, now.Sub(c.last)-stallTolerance)
}

// discountStall turns a time-out into a prober error, which counts for nothing, if Probity itself
// was stalled for a good part of the attempt: the answer may have been there, and nobody read it
// (R26).
func discountStall(result probe.Result, latency, timeout, stalled time.Duration) probe.Result {
	if result.Err != nil || result.Outcome != probe.Failure || latency < timeout || stalled < timeout/5 {
		return result
	}
	return probe.Result{Outcome: probe.Unknown, Err: fmt.Errorf("held up for %v in an attempt that may take %v: "+
		"Probity was suspended, or the machine is overloaded", stalled.Round(time.Millisecond), timeout), Detail: result.Detail}
}
