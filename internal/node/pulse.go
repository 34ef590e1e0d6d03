package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/probity-run/probity/probe"
)

// pulsePeriod is how often a pulse beats: when runners are woken for probes that are due, so that a
// beat costs no wake-up of its own.
const pulsePeriod = quantum

// pulseGap is the longest time between two beats that counts as none lost: a machine with something
// to do is late by that now and then.
const pulseGap = 2 * pulsePeriod

// pulse measures for how long this process did not run although it wanted to: because it was
// stopped, because the machine slept on while its clock went on, or because others had the
// processors. Beats that come late tell. The zero value, which never beats, was never held up.
type pulse struct {
	mu   sync.Mutex // guards what follows
	last time.Time
	held time.Duration
}

// run beats until the context is done, and calls also after each beat.
func (p *pulse) run(ctx context.Context, also func()) {
	ticker := time.NewTicker(pulsePeriod)
	defer ticker.Stop()
	for {
		p.beat(time.Now())
		also()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p *pulse) beat(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held += p.lateLocked(now)
	p.last = now
}

// heldUp is how long in all the process was held up until now, the beat that is overdue included.
func (p *pulse) heldUp(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held + p.lateLocked(now)
}

func (p *pulse) lateLocked(now time.Time) time.Duration {
	if p.last.IsZero() {
		return 0
	}
	return max(0, now.Sub(p.last)-pulseGap)
}

// excuse turns a time-out into an error of the attempt if Probity itself was held up for a good
// part of its time: the answer may have been there, and nobody looked (R26).
func excuse(result probe.Result, latency, timeout, held time.Duration) probe.Result {
	if result.Err != nil || result.Outcome != probe.Failure || latency < timeout || held < timeout/5 {
		return result
	}
	return probe.Result{Outcome: probe.Unknown, Err: fmt.Errorf("held up for %v in an attempt that may take %v: "+
		"Probity was suspended, or the machine is overloaded", held.Round(time.Millisecond), timeout)}
}
