package simulate

import (
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/timing"
)

// closedForm adds to the arithmetic of a probe what has chances. The formulas hold for T ≤ P unless
// said otherwise.
type closedForm struct{ timing.Probe }

// closedFormOf reads a probe; it must have its defaults.
func closedFormOf(p *corev1.Probe) closedForm {
	return closedForm{timing.Probe{
		Delay: seconds(p.InitialDelaySeconds), Period: seconds(p.PeriodSeconds), Timeout: seconds(p.TimeoutSeconds), Failures: int(p.FailureThreshold),
	}}
}

// Span is a best, a mean and a worst time.
type Span struct {
	Best  Offset `json:"best"`
	Mean  Offset `json:"mean"`
	Worst Offset `json:"worst"`
}

// String gives "21s to 31s".
func (s Span) String() string { return s.Best.String() + " to " + s.Worst.String() }

// DetectFailing is the time from the moment at which a service begins to fail at once (refused,
// 5xx) until the probe has had enough; the fault meets the ticks at a random phase.
func (t closedForm) DetectFailing() Span {
	n := time.Duration(t.Failures)
	return Span{Offset((n - 1) * t.Period), Offset(n*t.Period - t.Period/2), Offset(n * t.Period)}
}

// DetectHang is the same for a service that stops answering. Its worst case is not F·P.
func (t closedForm) DetectHang() Span {
	before := t.Tolerated()
	return Span{Offset(before), Offset(before + t.Period/2), Offset(before + t.Period)}
}

// RunOfFailures is the mean number of attempts until F in a row fail, if each fails with
// probability p by itself.
func RunOfFailures(p float64, f int) float64 {
	if p <= 0 {
		return math.Inf(1)
	}
	if p >= 1 {
		return float64(f)
	}
	return (1 - math.Pow(p, float64(f))) / ((1 - p) * math.Pow(p, float64(f)))
}

// FalseIndependent is the expected number of false restarts within a time if every attempt fails
// with probability p by itself.
func (t closedForm) FalseIndependent(p float64, within time.Duration) float64 {
	return float64(within) / float64(t.Period) / RunOfFailures(p, t.Failures)
}

// FalseStalls is the expected number of false restarts within a time if stalls begin at a mean
// distance of gap, and last that long.
func (t closedForm) FalseStalls(gap time.Duration, lasts script.Distribution, within time.Duration) float64 {
	return float64(within) / float64(gap) * t.ActsOnDraw(lasts)
}

// ActsOnDraw is the probability that a stall drawn from a distribution makes the probe act.
func (t closedForm) ActsOnDraw(lasts script.Distribution) float64 {
	if lasts.Shape == script.Exponential {
		a, p, mean := t.Tolerated().Seconds(), t.Period.Seconds(), lasts.A.Seconds()
		return mean / p * (math.Exp(-a/mean) - math.Exp(-(a+p)/mean))
	}
	return lasts.Expect(t.ActsOn)
}

// AllAct is the probability that a stall makes the probes of all replicas act: one that they share,
// or one that each of them has by itself at the same time.
func (t closedForm) AllAct(lasts script.Distribution, replicas int) (shared, independent float64) {
	shared = lasts.Expect(func(d time.Duration) float64 { return math.Pow(t.ActsOn(d), float64(replicas)) })
	return shared, math.Pow(t.ActsOnDraw(lasts), float64(replicas))
}
