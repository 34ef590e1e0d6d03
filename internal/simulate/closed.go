package simulate

import (
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Timing is what the closed forms need to know of a probe. The formulas hold for a kubelet that is not late itself, and for T ≤ P unless said otherwise.
type Timing struct {
	Delay, Period, Timeout time.Duration
	Failures               int
}

// TimingOf reads a probe; it must have its defaults.
func TimingOf(p *corev1.Probe) Timing {
	return Timing{seconds(p.InitialDelaySeconds), seconds(p.PeriodSeconds), seconds(p.TimeoutSeconds), int(p.FailureThreshold)}
}

// Span is a best, a mean and a worst time.
type Span struct {
	Best  Offset `json:"best"`
	Mean  Offset `json:"mean"`
	Worst Offset `json:"worst"`
}

// String gives "21s to 31s".
func (s Span) String() string { return s.Best.String() + " to " + s.Worst.String() }

// interval is the time between two attempts that each get no answer: an attempt delays the next one of its probe (R10, R12).
func (t Timing) interval() time.Duration { return max(t.Period, t.Timeout) }

// DetectFailing is the time from the moment at which a service begins to fail at once (refused, 5xx) until the probe has had enough; the fault meets the
// ticks at a random phase.
func (t Timing) DetectFailing() Span {
	n := time.Duration(t.Failures)
	return Span{Offset((n - 1) * t.Period), Offset(n*t.Period - t.Period/2), Offset(n * t.Period)}
}

// DetectHang is the same for a service that stops answering. Its worst case is not F·P.
func (t Timing) DetectHang() Span {
	before := t.Tolerated()
	return Span{Offset(before), Offset(before + t.Period/2), Offset(before + t.Period)}
}

// Tolerated is A, the longest stall that never makes the probe act: (F−1)·max(P,T) + T. One of A + P always does.
func (t Timing) Tolerated() time.Duration {
	return time.Duration(t.Failures-1)*t.interval() + t.Timeout
}

// ActsOn is the probability that one stall of length d makes the probe act.
func (t Timing) ActsOn(d time.Duration) float64 { return ramp(d, t.Tolerated(), t.Period) }

// ramp is 0 up to from, 1 from from+width on, and grows evenly in between.
func ramp(x, from, width time.Duration) float64 {
	return min(max(float64(x-from)/float64(width), 0), 1)
}

// StartSafe is the start-up time up to which a start-up that is refused connections is never cut short, (D + (F−1)·P), and StartFatal the one above which it
// always is, D + F·P. hang is for start-ups whose connections hang instead: that adds T to both, and an interval is max(P,T).
func (t Timing) StartSafe(hang bool) time.Duration {
	if hang {
		return t.Delay + t.Tolerated()
	}
	return t.Delay + time.Duration(t.Failures-1)*t.Period
}

// StartFatal is the upper end of what StartSafe begins.
func (t Timing) StartFatal(hang bool) time.Duration { return t.StartSafe(hang) + t.Period }

// CutShort is the probability that a start-up that takes so long is cut short.
func (t Timing) CutShort(startup time.Duration, hang bool) float64 {
	return ramp(startup, t.StartSafe(hang), t.Period)
}

// ReadyAfter is the time from the start of a container until it is Ready, if t is its startup probe and the start-up takes so long: startup succeeds at the
// first tick from then on, readiness is probed at once and wants so many successes, a period apart (R103).
func (t Timing) ReadyAfter(startup time.Duration, readiness Timing, successes int) Span {
	best := startup + time.Duration(successes-1)*readiness.Period
	return Span{Offset(best), Offset(best + t.Period/2), Offset(best + t.Period)}
}

// RunOfFailures is the mean number of attempts until F in a row fail, if each fails with probability p by itself.
func RunOfFailures(p float64, f int) float64 {
	if p <= 0 {
		return math.Inf(1)
	}
	if p >= 1 {
		return float64(f)
	}
	return (1 - math.Pow(p, float64(f))) / ((1 - p) * math.Pow(p, float64(f)))
}

// FalseIndependent is the expected number of false restarts within a time if every attempt fails with probability p by itself.
func (t Timing) FalseIndependent(p float64, within time.Duration) float64 {
	return float64(within) / float64(t.Period) / RunOfFailures(p, t.Failures)
}

// FalseStalls is the expected number of false restarts within a time if stalls begin at a mean distance of gap, and last that long.
func (t Timing) FalseStalls(gap time.Duration, lasts Distribution, within time.Duration) float64 {
	return float64(within) / float64(gap) * t.ActsOnDraw(lasts)
}

// ActsOnDraw is the probability that a stall drawn from a distribution makes the probe act.
func (t Timing) ActsOnDraw(lasts Distribution) float64 {
	if lasts.Shape == Exponential {
		a, p, mean := t.Tolerated().Seconds(), t.Period.Seconds(), lasts.A.Seconds()
		return mean / p * (math.Exp(-a/mean) - math.Exp(-(a+p)/mean))
	}
	return lasts.Expect(t.ActsOn)
}

// AllAct is the probability that a stall makes the probes of all replicas act: one that they share, or one that each of them has by itself at the same time.
func (t Timing) AllAct(lasts Distribution, replicas int) (shared, independent float64) {
	shared = lasts.Expect(func(d time.Duration) float64 { return math.Pow(t.ActsOn(d), float64(replicas)) })
	return shared, math.Pow(t.ActsOnDraw(lasts), float64(replicas))
}

// Samples is how many start-ups must be seen to say with that confidence that the longest of them covers that quantile.
func Samples(quantile, confidence float64) int {
	return int(math.Ceil(math.Log(1-confidence) / math.Log(quantile)))
}
