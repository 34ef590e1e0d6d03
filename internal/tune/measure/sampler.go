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

// untilGood asks one attempt after the other until one succeeds, and returns when that was. An
// attempt is given up after a time, for a program that starts may never answer it.
func untilGood(ctx context.Context, p probe.Prober, patience time.Duration) (time.Time, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		case <-timer.C:
		}
		attempt, cancel := context.WithTimeout(ctx, patience)
		result := p.Probe(attempt)
		cancel()
		if result.Err == nil && (result.Outcome == probe.Success || result.Outcome == probe.Warning) {
			return time.Now(), nil
		}
		timer.Reset(startInterval)
	}
}
