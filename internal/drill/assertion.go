package drill

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
)

// AssertedSentence is a sentence about a report: "kill within 12s" and "out within 3s" are about
// every repetition of a fault that has to lead to that, "restarts == 0" and "lost <= 5" about all
// of the drill but the restarts that cure.
type AssertedSentence struct {
	text, quantity, op string
	value              float64 // seconds for kill and out
}

// ParseAssertion reads a sentence.
func ParseAssertion(text string) (AssertedSentence, error) {
	a := AssertedSentence{text: text}
	fail := func() (AssertedSentence, error) {
		return a, fmt.Errorf("cannot read the assertion %q: write it as 'kill within 12s', 'out within 3s', 'restarts == 0' or 'lost <= 5'", text)
	}
	words := strings.Fields(text)
	if len(words) != 3 {
		return fail()
	}
	a.quantity, a.op = words[0], words[1]
	var err error
	switch {
	case slices.Contains([]string{"kill", "out"}, a.quantity) && a.op == "within":
		var d time.Duration
		d, err = script.ParseDuration(words[2])
		a.value = d.Seconds()
	case slices.Contains([]string{"restarts", "lost"}, a.quantity) && slices.Contains([]string{"==", "<=", "<"}, a.op):
		a.value, err = strconv.ParseFloat(words[2], 64)
	default:
		return fail()
	}
	if err != nil || !(a.value >= 0) {
		return fail()
	}
	return a, nil
}

// Check reports whether it holds.
func (a AssertedSentence) Check(r *Report) Assertion {
	got, unknown := a.got(r)
	result := Assertion{Text: a.text, Got: strconv.FormatFloat(got, 'f', -1, 64)}
	if a.op == "within" {
		result.Got = text(Offset(got * float64(time.Second)))
	}
	switch {
	case unknown != "":
		result.Got = unknown
	case a.op == "==":
		result.Holds = got == a.value
	case a.op == "<":
		result.Holds = got < a.value
	default:
		result.Holds = got <= a.value
	}
	return result
}

// got is the worst that there was, or why there is nothing to compare: it never came to that where
// it had to, or nobody can tell.
func (a AssertedSentence) got(r *Report) (worst float64, unknown string) {
	if a.op == "within" {
		unknown = "never"
	}
	for _, result := range r.Results {
		if !a.about(result) {
			continue
		}
		if len(result.Repetitions) > 0 && !slices.ContainsFunc(result.Repetitions, (*Repetition).sound) {
			return 0, "nothing that can be told: this machine was too busy at " + result.Title
		}
		switch a.quantity {
		case "lost":
			worst += float64(result.Lost)
		case "restarts":
			worst += float64(result.restarts())
		default:
			last := a.last(result)
			if last == nil {
				return 0, "never"
			}
			worst, unknown = max(worst, time.Duration(*last).Seconds()), ""
		}
	}
	return worst, unknown
}

// about reports whether a result counts for the sentence.
func (a AssertedSentence) about(r *Result) bool {
	switch a.quantity {
	case "lost":
		return true
	case "restarts":
		return r.Side != SideInside
	}
	return r.Side == SideInside
}

// last is the latest moment of the kind that the sentence is about; nil if it did not come in one
// of the repetitions.
func (a AssertedSentence) last(r *Result) (last *Offset) {
	for _, rep := range r.Repetitions {
		if !rep.sound() {
			continue
		}
		moment := rep.Measured.Killed
		if a.quantity == "out" {
			moment = rep.Measured.Unready
		}
		if moment == nil {
			return nil
		}
		if last == nil || *moment > *last {
			last = moment
		}
	}
	return last
}

// restarts are how often probes restarted replicas.
func (r *Result) restarts() (n int) {
	for _, rep := range r.Repetitions {
		for _, replica := range rep.Replicas {
			if rep.sound() {
				n += replica.Restarts
			}
		}
	}
	return n
}

// sound reports whether a repetition says something.
func (r *Repetition) sound() bool { return !r.Tainted }
