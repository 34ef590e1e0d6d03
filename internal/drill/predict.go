package drill

import (
	"time"

	"github.com/probity-run/probity/internal/timing"
)

// ticks are when the attempts of a probe begin: at one moment, and a period apart before and after.
type ticks struct {
	Probe
	last time.Time // an attempt
}

func (p Probe) timing() timing.Probe {
	return timing.Probe{Delay: time.Duration(p.Delay), Period: time.Duration(p.Period), Timeout: time.Duration(p.Timeout), Failures: p.Failures}
}

// from is the first attempt at or after a moment.
func (t ticks) from(at time.Time) time.Time {
	period := time.Duration(t.Period)
	late := at.Sub(t.last) % period
	if late <= 0 {
		return at.Add(-late)
	}
	return at.Add(period - late)
}

// forever is the length of a stall that does not pass.
const forever = time.Duration(1<<63 - 1)

// actsOnStall is how long after the beginning of a stall the probe has had enough, given when its
// attempts begin (R10, R12); false if the stall is over before. An attempt fails if it gets no
// answer within the timeout, and one that is answered begins the count anew.
func (t ticks) actsOnStall(begin time.Time, length time.Duration) (after time.Duration, acts bool) {
	p := t.timing()
	attempt := t.from(begin).Sub(begin)
	for failures := 1; length == forever || attempt+p.Timeout < length; failures++ {
		if failures == p.Failures {
			return attempt + p.Timeout, true
		}
		attempt += p.Interval()
	}
	return 0, false
}

// phaseOf is where in the period a moment lies, from 0 to 1: 0 is an attempt.
func (t ticks) phaseOf(at time.Time) float64 {
	period := time.Duration(t.Period)
	into := at.Sub(t.last) % period
	if into < 0 {
		into += period
	}
	return float64(into) / float64(period)
}

// beginAt is the first moment from now on that has a phase.
func (t ticks) beginAt(now time.Time, phase float64) time.Time {
	period := time.Duration(t.Period)
	at := t.from(now).Add(time.Duration(phase * float64(period)))
	if at.Add(-period).Before(now) {
		return at
	}
	return at.Add(-period)
}

// phaseFor is the phase of repetition i of n, i from 1 on: the phases are spread evenly.
func phaseFor(i, n int) float64 { return (float64(i) - 0.5) / float64(n) }

// predict is what the probes of a replica do about a stall at this phase, if the service notices it
// at once.
func predict(readiness, liveness *ticks, begin time.Time, length, grace time.Duration) (m Moments) {
	if readiness != nil {
		if after, acts := readiness.actsOnStall(begin, length); acts {
			m.Unready = new(Offset(after))
		}
	}
	if liveness != nil {
		if after, acts := liveness.actsOnStall(begin, length); acts {
			m.Killed = new(Offset(after))
			m.Replaced = new(Offset(after + grace))
			if m.Unready == nil || *m.Unready > *m.Replaced {
				m.Unready = m.Replaced // a process that has ended is not ready
			}
		}
	}
	return m
}
