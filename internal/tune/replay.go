package tune

import (
	"math"
	"slices"
	"time"
)

// Setting is the numbers of one probe.
type Setting struct {
	// Period and Timeout are periodSeconds and timeoutSeconds, Failures is the failureThreshold.
	Period, Timeout, Failures int
}

// Tolerated is A, the longest stall that never makes the probe act, in seconds.
func (s Setting) Tolerated() int { return (s.Failures-1)*max(s.Period, s.Timeout) + s.Timeout }

// Certain is A + P, the shortest stall that always makes it act, in seconds.
func (s Setting) Certain() int { return s.Tolerated() + s.Period }

// phases is at how many phases of the probe a series is replayed.
const phases = 32

// An Outcome is what a probe would have made of the stalls that were measured.
type Outcome struct {
	// Hours is how long was measured, over all windows.
	Hours float64
	// Weights are the restarts that each event has meant, on the average of the phases; an event is
	// a stall, or several so close to each other that the probe may count them as one. Those that
	// mean none at any phase are left out.
	Weights []float64
	// Most is how many restarts the worst phase has.
	Most int
}

// Replay counts the restarts that a probe with these numbers would have brought in the windows of a
// series, by its stalls and by answers that are too slow for its timeout. A restart ends the stall
// that it is for. The timeout must not exceed the period.
func Replay(windows []Window, s Setting) Outcome {
	o, _ := replay(windows, s, math.Inf(1))
	return o
}

// replay is Replay that gives up, and reports false, as soon as the weights are more than limit
// together: what comes later can only add to them.
func replay(windows []Window, s Setting, limit float64) (o Outcome, whole bool) {
	var byPhase [phases]int
	all := 0.0
	before := 0.0
	for _, w := range windows {
		for cluster := range clusters(w.failing(s), s) {
			if !mayAct(cluster, s) {
				continue
			}
			sum := 0
			for i := range phases {
				n := restarts(cluster, s, (float64(i)+0.5)/phases*float64(s.Period), (limit-all)*phases-float64(sum))
				byPhase[i] += n
				if sum += n; all+float64(sum)/phases > limit {
					return o, false
				}
			}
			if sum > 0 {
				weight := float64(sum) / phases
				o.Weights = append(o.Weights, weight)
				all += weight
			}
		}
		before += w.Seconds
	}
	o.Hours = before / time.Hour.Seconds()
	o.Most = slices.Max(byPhase[:])
	return o, true
}

// clusters are the stalls that belong together: with less between two of them than the probe takes
// to act, which may be one cause.
func clusters(stalls []Stall, s Setting) func(yield func([]Stall) bool) {
	gap := float64(s.Failures * s.Period)
	return func(yield func([]Stall) bool) {
		for begin, i := 0, 1; i <= len(stalls); i++ {
			if i < len(stalls) && stalls[i].Begin-stalls[i-1].End() < gap {
				continue
			}
			if !yield(stalls[begin:i]) {
				return
			}
			begin = i
		}
	}
}

// mayAct reports whether a cluster may bring enough failed attempts at any phase: a stretch of
// length d has at most ⌈d / P⌉ ticks in it.
func mayAct(cluster []Stall, s Setting) bool {
	ticks := 0.0
	for _, stall := range cluster {
		if d := stall.fails(s); d > 0 {
			ticks += math.Ceil(d / float64(s.Period))
		}
		if ticks >= float64(s.Failures) {
			return true
		}
	}
	return false
}

// fails is for how long attempts fail that begin in the stall: one that begins in its last seconds
// is answered in time when the stall is over.
func (s Stall) fails(by Setting) float64 {
	if s.Errors {
		return s.Length
	}
	return s.Length - float64(by.Timeout)
}

// restarts counts those of one cluster, with ticks at phase and each period after it. Those beyond
// limit are not counted, but for one.
func restarts(cluster []Stall, s Setting, phase, limit float64) (n int) {
	failed, last := 0, math.Inf(-1)
	period := float64(s.Period)
	for _, stall := range cluster {
		d := stall.fails(s)
		if d <= 0 {
			continue
		}
		first := math.Ceil((stall.Begin - phase) / period)
		end := math.Ceil((stall.Begin + d - phase) / period) // the first tick behind it
		if end <= first {
			continue
		}
		if first > last+1 {
			failed = 0
		}
		failed += int(end - first)
		last = end - 1
		if failed >= s.Failures {
			n, failed = n+1, 0
			last = math.Inf(-1)
			if float64(n) > limit {
				return n
			}
		}
	}
	return n
}
