package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/probity-run/probity/health"
)

const (
	computeTimeout = 2 * time.Second // of one computation, with its wait for the loop
	// for one turn of the loop, which takes milliseconds: only a hang exceeds it
	hangLimit = 5 * time.Second
)

// errBusy is why a computation is not done: others are before it, or the loop hangs.
var errBusy = errors.New("the calculator is busy")

// calculator does one computation after another, in a loop. The loop is what liveness watches: if
// it hangs the daemon still answers, and only a restart helps. Safe for concurrent use.
type calculator struct {
	jobs chan job
	beat *health.Heartbeat
	hang <-chan os.Signal // makes the loop hang, to see what the probes say; nil means never
	log  *slog.Logger
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
		select {
		case j := <-c.jobs:
			c.beat.Beat()
			j.result <- w.compute(j.x)
		case <-c.hang:
			c.beat.Beat()
			c.log.Warn("The calculating loop hangs from now on, as it was told to")
			select {}
		case <-ctx.Done():
			return
		}
	}
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
