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
	got, known := a.got(r)
	result := Assertion{Text: a.text, Got: strconv.FormatFloat(got, 'f', -1, 64)}
	if a.op == "within" {
		result.Got = text(Offset(got * float64(time.Second)))
	}
	switch {
	case !known:
		result.Got = "never"
	case a.op == "==":
		result.Holds = got == a.value
	case a.op == "<":
		result.Holds = got < a.value
	default:
		result.Holds = got <= a.value
	}
	return result
}

// got is the worst that there was; false if it never came to that where it had to.
func (a AssertedSentence) got(r *Report) (worst float64, known bool) {
	known = a.op != "within"
	for _, result := range r.Results {
		if a.quantity == "lost" {
			worst += float64(result.Lost)
			continue
		}
		for _, rep := range result.Repetitions {
			switch {
			case a.quantity == "restarts" && result.Side != SideInside:
				for _, replica := range rep.Replicas {
					worst += float64(replica.Restarts)
				}
			case a.op == "within" && result.Side == SideInside:
				moment := rep.Measured.Killed
				if a.quantity == "out" {
					moment = rep.Measured.Unready
				}
				if moment == nil {
					return 0, false
				}
				worst, known = max(worst, time.Duration(*moment).Seconds()), true
			}
		}
	}
	return worst, known
}
