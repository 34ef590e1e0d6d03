package tune

import (
	"cmp"
	"slices"
)

// Slow is a stretch in which every answer took longer than a number of seconds, so that attempts
// with a timeout up to that fail, though answers come all the time and there is no stall.
type Slow struct {
	// Begin counts from the beginning of the window.
	Begin  float64 `json:"begin"`
	Length float64 `json:"length"`
	// Than is the longest timeout that was too short, in whole seconds.
	Than int `json:"than"`
}

// End is when it is over.
func (s Slow) End() float64 { return s.Begin + s.Length }

// leastSlow is the shortest such stretch that is noted: no probe comes more than once in it.
const leastSlow = 1

// slowStretches are those of samples, which are in the order in which they were sent, that no stall
// explains. Those of longer timeouts lie within those of shorter ones.
func slowStretches(samples []Sample, interval float64, stalls []Stall) (list []Slow) {
	known := map[Stall]int{} // which of list it is
	for than := 1; slices.ContainsFunc(samples, func(s Sample) bool { return s.Good && s.laterThan(than) }); than++ {
		for s := range runs(samples, interval, than) {
			switch i, ok := known[s]; {
			case ok:
				list[i].Than = than
			case s.Length < leastSlow || explained(s, stalls, float64(than), interval) || s.Length <= 2*blind(samples, s, interval):
			default:
				known[s] = len(list)
				list = append(list, Slow{Begin: s.Begin, Length: s.Length, Than: than})
			}
		}
	}
	slices.SortFunc(list, func(a, b Slow) int { return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(b.Length, a.Length)) })
	return list
}

// laterThan reports whether an attempt with a timeout would have failed.
func (s Sample) laterThan(timeout int) bool { return !s.Good || s.Done-s.Sent > float64(timeout) }

// runs are the stretches in which all attempts with a timeout would have failed.
func runs(samples []Sample, interval float64, timeout int) func(yield func(Stall) bool) {
	return func(yield func(Stall) bool) {
		for i := 0; i < len(samples); i++ {
			begin := i
			for i < len(samples) && samples[i].laterThan(timeout) {
				i++
			}
			if i > begin && !yield(Stall{Begin: samples[begin].Sent, Length: samples[i-1].Sent + interval - samples[begin].Sent}) {
				return
			}
		}
	}
}

// explained reports whether attempts with a timeout fail in a stretch because of a stall: then it
// lies within that, and ends before an attempt could have waited until the stall was over.
func explained(stretch Stall, stalls []Stall, timeout, interval float64) bool {
	return slices.ContainsFunc(stalls, func(s Stall) bool {
		end := s.End()
		if !s.Errors {
			end -= timeout
		}
		return stretch.Begin >= s.Begin-interval && stretch.End() <= end+interval+shortest
	})
}

// failing are the stretches in which attempts of a probe fail. If answers were too slow for it,
// stalls and those stretches are joined, as ones in which attempts fail until the end.
func (w *Window) failing(s Setting) (list []Stall) {
	if !slices.ContainsFunc(w.Slow, func(slow Slow) bool { return slow.Than >= s.Timeout }) {
		return w.Stalls
	}
	stalls, slow := w.Stalls, w.Slow
	for len(stalls)+len(slow) > 0 {
		var next Stall
		switch {
		case len(slow) == 0 || len(stalls) > 0 && stalls[0].Begin <= slow[0].Begin:
			next, stalls = Stall{Begin: stalls[0].Begin, Length: stalls[0].fails(s)}, stalls[1:]
		default:
			if slow[0].Than >= s.Timeout {
				next = Stall{Begin: slow[0].Begin, Length: slow[0].Length}
			}
			slow = slow[1:]
		}
		switch n := len(list); {
		case next.Length <= 0:
		case n > 0 && next.Begin <= list[n-1].End():
			list[n-1].Length = max(next.End(), list[n-1].End()) - list[n-1].Begin
		default:
			next.Errors = true
			list = append(list, next)
		}
	}
	return list
}

// slowness is the longest stretch in which answers were too slow for a timeout, by its seconds.
type slowness [mostPeriod + 1]float64

// longestSlow is that of windows.
func longestSlow(windows []Window) (longest slowness) {
	for _, w := range windows {
		for _, s := range w.Slow {
			longest[s.Than] = max(longest[s.Than], s.Length)
		}
	}
	for timeout := mostPeriod - 1; timeout > 0; timeout-- {
		longest[timeout] = max(longest[timeout], longest[timeout+1])
	}
	return longest
}

// at is that for a timeout; those that are longer than any to choose are taken for the longest.
func (l *slowness) at(timeout int) float64 { return l[min(timeout, mostPeriod)] }
