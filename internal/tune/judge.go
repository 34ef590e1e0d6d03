package tune

import (
	"slices"
	"time"
)

// Judge bounds the rate of restarts for nothing that settings bring, by what was measured. Make it
// with [NewJudge]. It is safe for concurrent use.
type Judge struct {
	// Memory is of how many stalls in a row one says as much as an independent one, 1 if they are
	// independent; Known is false if there are too few to tell, and that is assumed.
	Memory float64
	Known  bool
	// Growing means that stalls became longer or more frequent while they were measured.
	Growing bool

	windows []Window
	hours   float64
	silent  []float64 // lengths of the stalls without any answer, the longest first
}

// NewJudge looks at windows, which must not change afterwards.
func NewJudge(windows []Window) *Judge {
	j := &Judge{windows: windows}
	for _, w := range windows {
		j.hours += w.Seconds / time.Hour.Seconds()
		for _, s := range w.Stalls {
			if !s.Errors {
				j.silent = append(j.silent, s.Length)
			}
		}
	}
	slices.Sort(j.silent)
	slices.Reverse(j.silent)
	j.Memory, j.Known = memory(together(concat(windows, func(w *Window) []Stall { return w.Stalls })))
	j.Growing = growing(windows)
	return j
}

// Bound is what was measured says about the rate for a setting.
func (j *Judge) Bound(s Setting) Bound {
	return Limits(Replay(j.windows, s).Weights, j.company(s), j.hours)
}

// Floor is the least rate that so much time can exclude.
func (j *Judge) Floor() float64 { return Floor(j.hours) * j.Memory }

// Needs is how many hours without a restart it takes to exclude more than so many an hour.
func (j *Judge) Needs(rate float64) float64 { return Floor(rate) * j.Memory }

// choosing is the confidence that a setting needs which was seen to restart something: of many
// settings the fastest is chosen that passes, and so the luckiest.
const choosing = 0.98

// Allows reports whether the rate for a setting is, by its upper limit, at most so many an hour.
// The limit is that of [Confidence] if it restarted nothing at any phase, and else a stricter one.
func (j *Judge) Allows(s Setting, rate float64) bool {
	if j.Floor() > rate || j.forbids(s, rate) {
		return false
	}
	limit := rate * j.hours * (1 + 1e-9)
	played, whole := replay(j.windows, s, limit)
	if !whole {
		return false
	}
	weights, confidence := played.Weights, Confidence
	if len(weights) > 0 {
		confidence = choosing
	}
	return momentsOf(weights, j.company(s)).within(limit, confidence)
}

// forbids reports whether stalls that stand alone bring restarts at more than a rate, which needs
// no replay: one acts at its share of the phases, from none of those if it is tolerated to all if
// it is certain to act.
func (j *Judge) forbids(s Setting, rate float64) bool {
	sum := 0.0
	for _, d := range j.silent {
		over := d - float64(s.Tolerated())
		if over <= 0 || sum > rate*j.hours {
			break
		}
		sum += min(over/float64(s.Period), 1)
	}
	return sum > rate*j.hours
}

// Fastest is the setting that notices a hang soonest among those that are allowed; ok is false if
// there is none.
func (j *Judge) Fastest(rate float64) (fastest Setting, ok bool) {
	if j.Floor() > rate {
		return Setting{}, false
	}
	for s := range settings(0) {
		if j.Allows(s, rate) {
			return s, true
		}
	}
	return Setting{}, false
}
