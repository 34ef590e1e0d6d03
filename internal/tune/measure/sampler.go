package measure

import (
	"context"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/tune"
	"github.com/probity-run/probity/probe"
)

// mostAsked is how many attempts may wait for an answer at a time. While so many do, no other is
// made: the stretch is without an answer anyway.
const mostAsked = 1000

// sample asks again and again for a time, whatever becomes of the attempts before, each over a new
// connection. It returns when the last has ended.
func sample(ctx context.Context, p probe.Prober, interval, length time.Duration) []tune.Sample {
	var mu sync.Mutex // guards list
	var list []tune.Sample
	var attempts sync.WaitGroup
	places := make(chan struct{}, mostAsked)
	begin := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for due := time.Duration(0); due < length; due += interval {
		timer.Reset(time.Until(begin.Add(due)))
		select {
		case <-ctx.Done():
			attempts.Wait()
			return list
		case <-timer.C:
		}
		select {
		case places <- struct{}{}:
		default:
			continue
		}
		sent := time.Now()
		attempts.Go(func() {
			defer func() { <-places }()
			result := p.Probe(ctx)
			done := time.Now()
			if ctx.Err() != nil {
				return // it was not waited for
			}
			s := tune.Sample{Due: due.Seconds(), Sent: sent.Sub(begin).Seconds(), Done: done.Sub(begin).Seconds(), Silent: result.Detail.TimedOut}
			s.Good = result.Err == nil && (result.Outcome == probe.Success || result.Outcome == probe.Warning)
			mu.Lock()
			defer mu.Unlock()
			list = append(list, s)
		})
	}
	attempts.Wait()
	return list
}

// startInterval is how often a container is asked that starts.
const startInterval = 20 * time.Millisecond

// untilGood asks until one attempt succeeds, and returns when that was. The next attempt follows
// one that failed, or that has no answer after a time, as a program that starts may never answer
// it. It is waited for all the same: how long answers take is what is to be found out.
func untilGood(ctx context.Context, p probe.Prober, patience time.Duration) (time.Time, error) {
	ctx, cancel := context.WithCancel(ctx)
	good, bad := make(chan time.Time, 1), make(chan struct{}, 1)
	var attempts sync.WaitGroup
	defer attempts.Wait()
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		case at := <-good:
			return at, nil
		case <-bad:
			timer.Reset(startInterval)
		case <-timer.C:
			timer.Reset(patience)
			attempts.Go(func() { attempt(ctx, p, good, bad) })
		}
	}
}

// attempt asks once and tells when that was answered well, or that it was not. Of several that are
// answered at the same time one tells.
func attempt(ctx context.Context, p probe.Prober, good chan<- time.Time, bad chan<- struct{}) {
	result := p.Probe(ctx)
	if result.Err == nil && (result.Outcome == probe.Success || result.Outcome == probe.Warning) {
		select {
		case good <- time.Now():
		default:
		}
		return
	}
	select {
	case bad <- struct{}{}:
	default:
	}
}
