// Package timing has the arithmetic of a probe's numbers: which stalls it bears, which starts it
// cuts short. What checks manifests and what simulates them say the same because they calculate
// here; a property test holds the formulas to the lifecycle core.
package timing

import "time"

// Probe is what the formulas need to know of a probe, with its defaults. They hold for a kubelet
// that is not late itself.
type Probe struct {
	// Delay, Period and Timeout are initialDelaySeconds, periodSeconds and timeoutSeconds.
	Delay, Period, Timeout time.Duration
	// Failures is the failureThreshold.
	Failures int
}

// Interval is the time between two attempts that each get no answer: an attempt delays the next one
// of its probe (R10, R12).
func (p Probe) Interval() time.Duration { return max(p.Period, p.Timeout) }

// Tolerated is A, the longest stall that never makes the probe act: (F−1)·max(P,T) + T.
func (p Probe) Tolerated() time.Duration {
	return time.Duration(p.Failures-1)*p.Interval() + p.Timeout
}

// Certain is the shortest stall that always makes the probe act: A + P. Between the two it depends
// on the phase.
func (p Probe) Certain() time.Duration { return p.Tolerated() + p.Period }

// ActsOn is the probability that one stall of length d makes the probe act, at a random phase.
func (p Probe) ActsOn(d time.Duration) float64 { return ramp(d, p.Tolerated(), p.Period) }

// StartSafe is the start-up time up to which a start-up that is refused connections is never cut
// short, D + (F−1)·P, and StartFatal the one above which it always is, D + F·P. hang is for
// start-ups whose connections hang instead: that adds T to both, and an interval is max(P,T).
func (p Probe) StartSafe(hang bool) time.Duration {
	if hang {
		return p.Delay + p.Tolerated()
	}
	return p.Delay + time.Duration(p.Failures-1)*p.Period
}

// StartFatal is the upper end of what StartSafe begins.
func (p Probe) StartFatal(hang bool) time.Duration { return p.StartSafe(hang) + p.Period }

// CutShort is the probability that a start-up that takes so long is cut short.
func (p Probe) CutShort(startup time.Duration, hang bool) float64 {
	return ramp(startup, p.StartSafe(hang), p.Period)
}

// ramp is 0 up to from, 1 from from+width on, and grows evenly in between.
func ramp(x, from, width time.Duration) float64 {
	return min(max(float64(x-from)/float64(width), 0), 1)
}
