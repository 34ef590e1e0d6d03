package render

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
)

// Text writes the summary and the timeline for a person. rate is how many requests a second are
// imagined.
func Text(out io.Writer, r *simulate.Result, rate float64) error {
	b := bufio.NewWriter(out)
	writeSummary(b, &r.Summary, rate)
	writeTimeline(b, r.Timeline.Entries())
	if n := r.Timeline.Lost(); n > 0 {
		fmt.Fprintf(b, "… %d entries more are left out; simulate a shorter --horizon to see all\n", n)
	}
	return b.Flush()
}

// SummaryText writes the summary alone.
func SummaryText(out io.Writer, s *simulate.Summary, rate float64) error {
	b := bufio.NewWriter(out)
	writeSummary(b, s, rate)
	return b.Flush()
}

func writeSummary(out io.Writer, s *simulate.Summary, rate float64) {
	fmt.Fprintf(out, "%s: %v simulated, seed %d\n", strings.Join(s.Workloads, "; "), s.Horizon, s.Seed)
	line := func(head, format string, args ...any) {
		fmt.Fprintf(out, "  %-16s "+format+"\n", append([]any{head}, args...)...)
	}
	line("first ready", "%s", readyText(s))
	for _, l := range s.Loops {
		line("restart loop", "%s", loopText(l))
	}
	for i, text := range faultTexts(s) {
		head := ""
		if i == 0 {
			head = "faults"
		}
		line(head, "%s", text)
	}
	line("restarts", "%s", restartText(s))
	for _, late := range s.Late {
		line("rollout", "%s exceeded progressDeadlineSeconds at %v", late.Workload, late.At)
	}
	for _, r := range s.Routes {
		line("unavailable", "%s", routeText(r, s.Horizon))
		line("failed requests", "%.0f of %.0f at %g/s%s", r.Failed(rate), rate*time.Duration(s.Horizon).Seconds(), rate, failedBy(r, rate))
	}
}

func readyText(s *simulate.Summary) string {
	switch {
	case s.FirstReady == nil:
		return "never"
	case s.Pods == 1:
		return fmt.Sprintf("after %v", s.FirstReady)
	case s.AllReady == nil:
		return fmt.Sprintf("after %v, but only %d of %d pods ever were", s.FirstReady, s.ReadyPods, s.Pods)
	default:
		return fmt.Sprintf("after %v, all %d pods after %v", s.FirstReady, s.Pods, s.AllReady)
	}
}

func loopText(l simulate.Loop) string {
	switch l.Verdict {
	case simulate.LoopSafe:
		return fmt.Sprintf("safe: %s, %s", l.Container, l.Why)
	case simulate.LoopCertain:
		return fmt.Sprintf("certain: %s, %s%s", l.Container, l.Why, remedy(l))
	default:
		return fmt.Sprintf("lottery: %s, %s of all starts are cut short if the ticks fall at random: %s%s", l.Container, simulate.Percent(l.Odds), l.Why, remedy(l))
	}
}

func remedy(l simulate.Loop) string {
	if l.Needs == 0 {
		return ""
	}
	return fmt.Sprintf("; failureThreshold %d would do", l.Needs)
}

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
	var times, drained, restarted, missed int
	for _, o := range s.Faults {
		if o.Fault != name {
			continue
		}
		times++
		drained += oneIf(o.Drained != nil)
		restarted += oneIf(o.Restarted != nil)
		missed += oneIf(o.Missed)
	}
	text := fmt.Sprintf("%s: %d times; out of rotation %d times, restarted by a probe %d times", name, times, drained, restarted)
	if missed > 0 {
		text += fmt.Sprintf(", nothing there to happen to %d times", missed)
	}
	return text
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
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
		text += reaction(o)
	}
	return text + expectedText(s, o)
}

func reaction(o *simulate.Occurrence) string {
	var parts []string
	if o.Drained != nil {
		parts = append(parts, fmt.Sprintf("out of rotation after %v", o.Drained))
	}
	if o.Restarted != nil {
		parts = append(parts, fmt.Sprintf("restarted by %s after %v", script.ProbeName(o.By), o.Restarted))
	}
	return strings.Join(parts, ", ")
}

// expectedText is what to expect on other days, when the fault meets the ticks at another phase.
func expectedText(s *simulate.Summary, o *simulate.Occurrence) string {
	var parts []string
	for _, t := range []lifecycle.ProbeType{lifecycle.Readiness, lifecycle.Liveness} {
		if span, ok := expected(s, o, t); ok {
			parts = append(parts, fmt.Sprintf("%s in %v", script.ProbeName(t), span))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (at any phase: " + strings.Join(parts, ", ") + ")"
}

func restartText(s *simulate.Summary) string {
	text := fmt.Sprint(s.Restarts)
	var parts []string
	if n := len(s.Verdicts); n > 0 {
		parts = append(parts, fmt.Sprintf("%d decided by a probe", n))
	}
	if s.FalseRestarts > 0 {
		parts = append(parts, fmt.Sprintf("%d of them for nothing", s.FalseRestarts))
	}
	if s.Backoffs > 0 {
		parts = append(parts, fmt.Sprintf("%d times a start was put off by the back-off", s.Backoffs))
	}
	if len(parts) == 0 {
		return text
	}
	return text + ": " + strings.Join(parts, ", ")
}

func routeText(r simulate.Route, horizon simulate.Offset) string {
	name := "the pods"
	if r.Service != "" {
		name = "Service " + r.Service
	}
	switch {
	case r.Unavailable == horizon:
		return name + ": always, nobody was ever ready"
	case r.Unavailable == 0:
		return name + ": 0s"
	case r.Unavailable == r.Longest:
		return fmt.Sprintf("%s: %v at a stretch", name, r.Unavailable)
	default:
		return fmt.Sprintf("%s: %v in all, %v at a stretch", name, r.Unavailable, r.Longest)
	}
}

func failedBy(r simulate.Route, rate float64) string {
	if r.Failed(rate) == 0 {
		return ""
	}
	nobody := rate * time.Duration(r.Unavailable).Seconds()
	return fmt.Sprintf(": %.0f with nobody to send them to, %.0f sent to a pod that did not answer", nobody, r.Failed(rate)-nobody)
}

// expected finds the expectation about an occurrence, if there is one.
func expected(s *simulate.Summary, o *simulate.Occurrence, t lifecycle.ProbeType) (simulate.Span, bool) {
	i := slices.IndexFunc(s.Expected, func(e simulate.Expectation) bool {
		return e.Container == o.Container && e.Fault == o.Fault && e.Probe == t
	})
	if i < 0 {
		return simulate.Span{}, false
	}
	return s.Expected[i].Span, true
}
