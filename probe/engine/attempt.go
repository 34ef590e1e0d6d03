package engine

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/verdict"
)

// attempt is one attempt in flight. All but settled belongs to the loop.
type attempt struct {
	engine  *Engine
	target  *Probe
	done    func(probe.Result)
	settled atomic.Bool // there is a result, or nobody wants one any more

	began    time.Time
	deadline timer
	fast     *conn              // the fast path, if it takes it
	stop     context.CancelFunc // ends the goroutine that makes the attempt, or nil
}

// begin starts the attempt on the path that its target can take.
func (a *attempt) begin() {
	if a.settled.Load() {
		return // cancelled before it began
	}
	a.began = time.Now()
	a.engine.attempts[a] = struct{}{}
	if a.target.fast == nil || !a.engine.poller.start(a) {
		a.spawn(a.target.prober)
	}
}

// spawn lets a goroutine make the attempt.
func (a *attempt) spawn(p probe.Prober) {
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	a.engine.joined.Go(func() {
		result := guarded(ctx, p)
		a.engine.post(func() {
			if ctx.Err() == nil { // else the attempt is over and may be another one already
				a.finish(result)
			}
		})
	})
}

// guarded performs an attempt. A panic becomes a prober error.
func guarded(ctx context.Context, p probe.Prober) (result probe.Result) {
	defer func() {
		if cause := recover(); cause != nil {
			result = probe.Result{Err: fmt.Errorf("the prober panicked: %v", cause)}
		}
	}()
	return p.Probe(ctx)
}

// late reports whether the attempt has used up its time. The engine notices that up to a quantum
// later.
func (a *attempt) late() bool { return time.Since(a.began) >= a.target.fast.timeout }

// resultOf returns the result of an attempt that has a verdict.
func resultOf(v verdict.Verdict) probe.Result {
	return probe.Result{Outcome: probe.Outcome(v.Outcome), Output: v.Output}
}

// finish releases what the attempt holds and hands over the result, if it is wanted.
func (a *attempt) finish(result probe.Result) {
	if a.fast != nil {
		a.fast.complete(&result)
	}
	a.release()
	a.settle(result)
}

// release ends what is going on for the attempt.
func (a *attempt) release() {
	delete(a.engine.attempts, a)
	a.engine.wheel.remove(&a.deadline)
	if a.fast != nil {
		a.fast.abandon()
		a.fast = nil
	}
	if a.stop != nil {
		a.stop()
		a.stop = nil
	}
}

// settle hands over the result unless the attempt was cancelled.
func (a *attempt) settle(result probe.Result) {
	if a.claim() {
		a.done(result)
	}
}

// claim reports whether the caller is the one who decides how the attempt ends.
func (a *attempt) claim() bool {
	return a.settled.CompareAndSwap(false, true)
}
