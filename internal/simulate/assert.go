package simulate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
)

// Assertion is a sentence that the result of a simulation fulfils or not:
//
//	QUANTITY OP NUMBER     restarts, false-restarts, verdicts, backoffs, failed-requests
//	QUANTITY OP TIME       unavailable, ready, detected, drained
//	MOMENT within TIME     ready, detected, drained
//
// OP is one of ==, !=, <, <=, > and >=. The moments count from the start (ready: all Pods) or from
// the fault (detected, drained: every one that only a restart ends, or that is at least as long as
// what the probe tolerates); what never happened fulfils no upper bound. In a Monte Carlo
// simulation a quantile may stand first, as in "p99 ready within 30s"; without one the worst run
// counts.
type Assertion struct {
	Text     string
	quantile string // "", p50, p90, p99 or max
	quantity string
	op       string
	value    float64 // a number, or seconds
}

// AssertionResult is what became of an assertion.
type AssertionResult struct {
	Assertion string `json:"assertion"`
	Holds     bool   `json:"holds"`
	Got       string `json:"got"`
}

func timeQuantities() []string { return []string{"unavailable", "ready", "detected", "drained"} }

func numberQuantities() []string {
	return []string{"restarts", "false-restarts", "verdicts", "backoffs", "failed-requests"}
}

func operators() []string { return []string{"==", "!=", "<=", ">=", "<", ">"} }

// ParseAssertion reads a sentence.
func ParseAssertion(text string) (Assertion, error) {
	a := Assertion{Text: text}
	fail := func(format string, args ...any) (Assertion, error) {
		return Assertion{}, fmt.Errorf("cannot read the assertion %q: %s", text, fmt.Sprintf(format, args...))
	}
	rest := strings.TrimSpace(text)
	if word, after, ok := strings.Cut(rest, " "); ok && slices.Contains([]string{"p50", "p90", "p99", "max"}, word) {
		a.quantile, rest = word, strings.TrimSpace(after)
	}
	i := strings.IndexAny(rest, "=!<> ")
	if i < 0 {
		return fail("write it as 'restarts == 0' or 'ready within 30s'")
	}
	a.quantity, rest = rest[:i], strings.TrimSpace(rest[i:])
	known := append(timeQuantities(), numberQuantities()...)
	if !slices.Contains(known, a.quantity) {
		return fail("unknown quantity %q: there are %s", a.quantity, strings.Join(known, ", "))
	}
	if after, ok := strings.CutPrefix(rest, "within "); ok && slices.Contains(timeQuantities()[1:], a.quantity) {
		a.op, rest = "<=", strings.TrimSpace(after)
	} else if j := slices.IndexFunc(operators(), func(op string) bool { return strings.HasPrefix(rest, op) }); j >= 0 {
		a.op, rest = operators()[j], strings.TrimSpace(rest[len(operators()[j]):])
	} else {
		return fail("after %q comes one of %s, or within and a time", a.quantity, strings.Join(operators(), ", "))
	}
	var err error
	if a.value, err = a.parseValue(rest); err != nil {
		return fail("%v", err)
	}
	return a, nil
}

func (a *Assertion) parseValue(text string) (float64, error) {
	if a.isTime() {
		d, err := script.ParseDuration(text)
		return d.Seconds(), err
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n <= 1e15) {
		return 0, fmt.Errorf("%q is no number from 0 on", text)
	}
	return n, nil
}

func (a *Assertion) isTime() bool { return slices.Contains(timeQuantities(), a.quantity) }

// quantity is a figure of a result; never is for what did not happen.
type quantity struct {
	value float64
	never bool
	note  string // instead of the figure
}

func (a *Assertion) check(q quantity) AssertionResult {
	r := AssertionResult{Assertion: a.Text, Got: q.note}
	if r.Got == "" {
		r.Got = fmt.Sprintf("%.6g", q.value)
		if a.isTime() {
			r.Got = script.FormatDuration(time.Duration(q.value * float64(time.Second)))
		}
		if q.never {
			r.Got = "never"
		}
	}
	x := q.value
	if q.never {
		r.Holds = a.op == "!=" || a.op == ">" || a.op == ">="
		return r
	}
	switch a.op {
	case "==":
		r.Holds = x == a.value
	case "!=":
		r.Holds = x != a.value
	case "<":
		r.Holds = x < a.value
	case "<=":
		r.Holds = x <= a.value
	case ">":
		r.Holds = x > a.value
	case ">=":
		r.Holds = x >= a.value
	}
	return r
}

// Check reports whether an assertion holds for one simulation. rate is how many requests a second
// are imagined. If other phases were simulated, it must hold at each of them.
func (s *Summary) Check(a Assertion, rate float64) AssertionResult {
	figures := s.figures()
	here := a.check(figures.of(a.quantity, rate))
	if s.AnyPhase == nil || !here.Holds {
		return here
	}
	return s.AnyPhase.check(a, rate, here)
}

func moment(at *Offset) quantity {
	if at == nil {
		return quantity{never: true}
	}
	return quantity{value: time.Duration(*at).Seconds()}
}

// worst is the longest time to a reaction to faults that need one. Without such a fault there is
// nothing to assert.
func (s *Summary) worst(of func(*Occurrence) *Offset) quantity {
	worst, seen := Offset(-1), false
	for _, o := range s.Faults {
		if o.Missed || !o.Lasting && of(o) == nil || o.detection == script.DetectionNone || o.detection == script.DetectionOptional && of(o) == nil {
			continue
		}
		seen = true
		at := of(o)
		if at == nil {
			return quantity{never: true}
		}
		worst = max(worst, *at)
	}
	if !seen {
		return quantity{never: true, note: "nothing to detect: no fault struck that lasts until a restart"}
	}
	return moment(&worst)
}

// Check reports whether an assertion holds for a Monte Carlo simulation. Without a quantile it must
// hold for the worst run, and at other phases if those were simulated.
func (m *Many) Check(a Assertion) AssertionResult {
	here, known := m.check(a)
	if !known || !here.Holds || m.AnyPhase == nil || a.quantile != "" || a.quantity == "false-restarts" {
		return here
	}
	return m.AnyPhase.check(a, 1, here)
}

func (m *Many) check(a Assertion) (result AssertionResult, known bool) {
	switch a.quantity {
	case "false-restarts":
		return a.check(quantity{value: float64(m.FalseRestarts)}), true
	case "restarts":
		return a.check(quantity{value: float64(m.Restarts.at(a.quantile))}), true
	case "unavailable":
		return a.check(quantity{value: m.Unavailable.at(a.quantile).Seconds()}), true
	case "ready":
		return a.check(m.share(m.Ready, m.NeverReady, a.quantile)), true
	case "detected":
		return a.check(m.share(m.Detect, m.Undetected, a.quantile)), true
	case "drained":
		return a.check(m.share(m.Drain, 0, a.quantile)), true
	default:
		return AssertionResult{Assertion: a.Text, Got: "not known of a Monte Carlo simulation"}, false
	}
}

// share is a quantile of times of which some never came.
func (m *Many) share(q Quantiles, never int, quantile string) quantity {
	if q.N+never == 0 {
		return quantity{never: true, note: "it never came to that"}
	}
	reached := map[string]float64{"p50": 0.5, "p90": 0.9, "p99": 0.99}[quantile]
	if never > 0 && (reached == 0 || float64(q.N) < reached*float64(q.N+never)) {
		return quantity{never: true}
	}
	return quantity{value: q.at(quantile).Seconds()}
}

func (q Quantiles) at(quantile string) time.Duration {
	switch quantile {
	case "p50":
		return time.Duration(q.P50)
	case "p90":
		return time.Duration(q.P90)
	case "p99":
		return time.Duration(q.P99)
	default:
		return time.Duration(q.Max)
	}
}

func (c Counts) at(quantile string) int {
	switch quantile {
	case "p50":
		return c.P50
	case "p90":
		return c.P90
	case "p99":
		return c.P99
	default:
		return c.Max
	}
}
