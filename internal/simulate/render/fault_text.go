package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
)

// faultTexts say what became of each fault: each time if there were few, else as counts.
func faultTexts(s *simulate.Summary) (texts []string) {
	const few = 6
	if len(s.Faults) <= few {
		for _, o := range s.Faults {
			texts = append(texts, occurrenceText(s, o))
		}
		return texts
	}
	var names []string
	for _, o := range s.Faults {
		if !slices.Contains(names, o.Fault) {
			names = append(names, o.Fault)
		}
	}
	for _, name := range names {
		texts = append(texts, countText(s, name))
	}
	return texts
}

func countText(s *simulate.Summary, name string) string {
	var n, drained, killed, missed, early int
	for _, o := range s.Faults {
		if o.Fault != name {
			continue
		}
		n++
		drained += oneIf(o.Drained != nil)
		killed += oneIf(o.Restarted != nil)
		missed += oneIf(o.Missed)
		early += oneIf(notBegun(o))
	}
	text := fmt.Sprintf("%s: %d times; out of rotation %d times, killed by a probe %d times", name, n, drained, killed)
	if missed > 0 {
		text += fmt.Sprintf(", nothing there to happen to %d times", missed)
	}
	if early > 0 {
		text += fmt.Sprintf(", liveness has not begun yet %d times", early)
	}
	return text
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// notBegun reports whether a fault, or the simulation, was over before the liveness probe that
// would notice it had begun.
func notBegun(o *simulate.Occurrence) bool {
	return o.LivenessNotBegun && o.LivenessBegan == nil && o.Restarted == nil && !o.Missed && o.Kind.Summary() == ""
}

func occurrenceText(s *simulate.Summary, o *simulate.Occurrence) string {
	text := fmt.Sprintf("%s, %s/%s at %v: ", o.Fault, o.Pod, o.Container, o.At)
	switch {
	case o.Missed:
		return text + "nothing ran that it could have happened to"
	case o.Kind.Summary() != "":
		return text + o.Kind.Summary()
	case o.Kind.Detection() == script.DetectionOptional && o.Restarted == nil && o.Drained == nil:
		return text + "no probe acted"
	case o.Restarted == nil && o.Drained == nil:
		text += "no probe acted"
		if o.Ended != nil {
			text += fmt.Sprintf(", it was over after %v", *o.Ended-o.At)
		}
	default:
		text += reaction(s, o)
	}
	switch {
	case notBegun(o):
		text += "; liveness has not begun yet"
	case o.LivenessBegan != nil:
		text += fmt.Sprintf("; liveness began only after %v", o.LivenessBegan)
	}
	return text + expectedText(s, o)
}

// reaction tells the decision to restart from the restart: between them are the preStop hook, the
// grace period and the back-off.
func reaction(s *simulate.Summary, o *simulate.Occurrence) string {
	var parts []string
	if o.Drained != nil {
		parts = append(parts, fmt.Sprintf("out of rotation after %v", o.Drained))
	}
	switch {
	case o.Restarted == nil:
	case o.RunningAgain == nil:
		parts = append(parts, fmt.Sprintf("killed by %s after %v, not running again at %v", script.ProbeName(o.By), o.Restarted, s.Horizon))
	default:
		parts = append(parts, fmt.Sprintf("killed by %s after %v, running again after %v", script.ProbeName(o.By), o.Restarted, o.RunningAgain))
	}
	return strings.Join(parts, ", ")
}

// expectedText is what to expect on other days, when the fault meets the ticks at another phase.
func expectedText(s *simulate.Summary, o *simulate.Occurrence) string {
	var parts []string
	for _, t := range []lifecycle.ProbeType{lifecycle.Readiness, lifecycle.Liveness} {
		if t == lifecycle.Liveness && o.LivenessNotBegun {
			continue // it counts from the beginning of the probe
		}
		if span, ok := expected(s, o, t); ok {
			parts = append(parts, fmt.Sprintf("%s in %v", script.ProbeName(t), span))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (at any phase: " + strings.Join(parts, ", ") + ")"
}

// expected finds the expectation about an occurrence, if there is one.
func expected(s *simulate.Summary, o *simulate.Occurrence, t lifecycle.ProbeType) (simulate.Span, bool) {
	i := slices.IndexFunc(s.Expected, func(e simulate.Expectation) bool {
		return e.Workload == o.Workload && e.Container == o.Container && e.Fault == o.Fault && e.Probe == t
	})
	if i < 0 {
		return simulate.Span{}, false
	}
	return s.Expected[i].Span, true
}
