package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/probity-run/probity/health"
)

const (
	computeTimeout = 2 * time.Second // of one computation, with its wait for the loop
	// for one turn of the loop, which takes milliseconds: only a hang exceeds it
	hangLimit = 5 * time.Second
	// for one turn too, of readiness: whoever came now would not get a result in time. It is
	// shorter than hangLimit, so that a replica that hangs has no more requests when it is
	// restarted.
	stuckLimit = computeTimeout
)

// errBusy is why a computation is not done: others are before it, or the loop hangs.
var errBusy = errors.New("the calculator is busy")

// errStuck is why the calculator is not ready.
var errStuck = errors.New("the calculating loop is stuck in one turn")

// calculator does one computation after another, in a loop. The loop is what liveness watches: if
// it hangs the daemon still answers, and only a restart helps. Safe for concurrent use.
type calculator struct {
	jobs chan job
	beat *health.Heartbeat
	hang <-chan os.Signal // makes the loop hang, to see what the probes say; nil means never
	log  *slog.Logger
	turn atomic.Pointer[time.Time] // when the turn that the loop is in began; nil while it waits for work
}

// job is a computation that waits for the loop.
type job struct {
	x      []float64
	result chan<- float64 // has room, so that the loop never waits for those who have gone
}

// loop computes until ctx ends. It says when it waits for work: that is no hang, however long it
// takes.
func (c *calculator) loop(ctx context.Context, w weights) {
	defer c.beat.Stop()
	for {
		c.beat.Idle()
		c.turn.Store(nil)
		select {
		case j := <-c.jobs:
			c.begin()
			j.result <- w.compute(j.x)
		case <-c.hang:
			c.begin()
			c.log.Warn("The calculating loop hangs from now on, as it was told to")
			select {}
		case <-ctx.Done():
			return
		}
	}
}

// begin says that the loop has work from now on.
func (c *calculator) begin() {
	c.beat.Beat()
	c.turn.Store(new(time.Now()))
}

// check returns an error if the loop has been in one turn for longer than a request waits for it.
// Many requests are no reason: each is a turn of its own.
func (c *calculator) check(context.Context) error {
	if began := c.turn.Load(); began != nil && time.Since(*began) >= stuckLimit {
		return errStuck
	}
	return nil
}

// compute has the loop do a computation. It returns errBusy if that takes longer than
// computeTimeout or than the caller waits.
func (c *calculator) compute(ctx context.Context, x []float64) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, computeTimeout)
	defer cancel()
	result := make(chan float64, 1)
	select {
	case c.jobs <- job{x, result}:
	case <-ctx.Done():
		return 0, errBusy
	}
	select {
	case r := <-result:
		return r, nil
	case <-ctx.Done():
		return 0, errBusy
	}
}
