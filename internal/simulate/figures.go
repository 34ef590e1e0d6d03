package simulate

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// figures are what assertions are about: what one simulation comes to.
type figures struct {
	restarts, falseRestarts, verdicts, backoffs int
	ready, detected, drained                    quantity
	unavailable                                 Offset
	failed                                      float64 // requests, at one a second
}

func (s *Summary) figures() figures {
	f := figures{
		restarts: s.Restarts, falseRestarts: s.FalseRestarts, verdicts: len(s.Verdicts), backoffs: s.Backoffs, ready: moment(s.AllReady),
		detected: s.worst(func(o *Occurrence) *Offset { return o.Detected }), drained: s.worst(func(o *Occurrence) *Offset { return o.Drained }),
	}
	for _, r := range s.Routes {
		f.unavailable, f.failed = max(f.unavailable, r.Unavailable), f.failed+r.Failed(1)
	}
	return f
}

// of is the figure of that name; rate is how many requests a second are imagined.
func (f *figures) of(name string, rate float64) quantity {
	switch name {
	case "restarts":
		return quantity{value: float64(f.restarts)}
	case "false-restarts":
		return quantity{value: float64(f.falseRestarts)}
	case "verdicts":
		return quantity{value: float64(f.verdicts)}
	case "backoffs":
		return quantity{value: float64(f.backoffs)}
	case "ready":
		return f.ready
	case "detected":
		return f.detected
	case "drained":
		return f.drained
	case "unavailable":
		return moment(&f.unavailable)
	default:
		return quantity{value: rate * f.failed}
	}
}

// jumps reports whether the others differ by more than a slope: in a number, in whether something
// happens at all, or in a time by more than that.
func (f *figures) jumps(o figures, slope time.Duration) bool {
	if f.restarts != o.restarts || f.falseRestarts != o.falseRestarts || f.verdicts != o.verdicts || f.backoffs != o.backoffs {
		return true
	}
	for _, pair := range [][2]quantity{
		{f.ready, o.ready}, {f.detected, o.detected}, {f.drained, o.drained}, {moment(&f.unavailable), moment(&o.unavailable)}, {{value: f.failed}, {value: o.failed}},
	} {
		if pair[0].never != pair[1].never || math.Abs(pair[0].value-pair[1].value) > slope.Seconds() {
			return true
		}
	}
	return false
}

// check reports whether an assertion that holds here does so at every phase; if not, it tells the
// worst of those at which it does not.
func (a *AnyPhase) check(assertion Assertion, rate float64, here AssertionResult) AssertionResult {
	var failing []quantity
	for i := range a.figures {
		if q := a.figures[i].of(assertion.quantity, rate); !assertion.check(q).Holds {
			if q.never {
				q.value = math.Inf(1)
			}
			failing = append(failing, q)
		}
	}
	if len(failing) == 0 {
		return here
	}
	slices.SortFunc(failing, func(x, y quantity) int { return cmp.Compare(x.value, y.value) })
	worst := failing[len(failing)-1]
	if assertion.op == ">" || assertion.op == ">=" {
		worst = failing[0]
	}
	result := assertion.check(worst)
	result.Got += " at another phase of the probes (" + here.Got + " in what was simulated)"
	return result
}
