package tune

import (
	"cmp"
	"slices"
)

// Sample is one attempt of those that are made at a steady rate, whatever becomes of the others.
// All times are seconds since the beginning of the window.
type Sample struct {
	// Due is when it was to be made, Sent when it was.
	Due, Sent float64
	// Done is when it had its answer, or was given up.
	Done float64
	// Good means that the answer was one with which a probe succeeds.
	Good bool
	// Silent means that no answer came at all, until it was given up.
	Silent bool
}

const (
	// late is from when on a sample is tainted: it was made so much later than it was due, by our
	// own fault.
	late = 0.020
	// shortest is the shortest stall that is noted. No timeout is below a second, so none that is
	// shorter means anything.
	shortest = 0.2
)

// NewWindow makes a window of samples, which were due each interval seconds from 0 on, until the
// window ended. A stall is a stretch in which nobody got a good answer; it begins with the last one
// before it, and so is noted as longer by an interval at most than it was. A stretch in which the
// samples themselves were not made is nobody's stall. Where answers come late, but come, is noted
// apart: only probes with a short timeout fail there.
func NewWindow(load string, seconds, interval float64, samples []Sample) Window {
	w := Window{Load: load, Seconds: seconds, Samples: len(samples)}
	slices.SortFunc(samples, func(a, b Sample) int { return cmp.Compare(a.Sent, b.Sent) })
	var good []float64
	for _, s := range samples {
		if s.Sent-s.Due > late {
			w.Tainted++
		}
		if s.Good {
			good = append(good, s.Done)
		}
	}
	slices.Sort(good)
	good = append(good, seconds)
	last := 0.0
	for _, at := range good {
		at = min(at, seconds)
		if s := (Stall{Begin: last, Length: at - last}); s.Length > shortest+interval && s.Length > 2*blind(samples, s, interval) {
			s.Errors = answered(samples, s)
			w.Stalls = append(w.Stalls, s)
		}
		last = max(last, at)
	}
	for _, s := range samples {
		if s.Good && !inside(w.Stalls, s.Sent) {
			w.Latency.Add(s.Done - s.Sent)
		}
	}
	w.Slow = slowStretches(samples, interval, w.Stalls)
	return w
}

// from is the first sample that was sent at a time or after it.
func from(samples []Sample, at float64) int {
	i, _ := slices.BinarySearchFunc(samples, at, func(s Sample, at float64) int { return cmp.Compare(s.Sent, at) })
	return i
}

// blind is for how long of a stretch no sample was made that was due.
func blind(samples []Sample, stretch Stall, interval float64) (sum float64) {
	last := stretch.Begin
	for _, s := range samples[from(samples, stretch.Begin):] {
		at := min(s.Sent, stretch.End())
		sum += max(at-last-interval-late, 0)
		if last = at; at == stretch.End() {
			return sum
		}
	}
	return sum + max(stretch.End()-last-interval-late, 0)
}

// answered reports whether most of those who asked in a stretch got an answer, if a bad one.
func answered(samples []Sample, stretch Stall) bool {
	bad, silent := 0, 0
	for _, s := range samples[from(samples, stretch.Begin):] {
		if s.Sent >= stretch.End() {
			break
		}
		if s.Good || s.Silent || s.Done-s.Sent > shortest {
			silent++
		} else {
			bad++
		}
	}
	return bad > silent
}

// inside reports whether a time lies in one of the stalls, which are in order.
func inside(stalls []Stall, at float64) bool {
	i, found := slices.BinarySearchFunc(stalls, at, func(s Stall, at float64) int { return cmp.Compare(s.Begin, at) })
	return found || i > 0 && at < stalls[i-1].End()
}
