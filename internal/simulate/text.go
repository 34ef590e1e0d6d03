package simulate

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// WriteText writes the summary and the timeline for a person. rate is how many requests a second
// are imagined.
func (r *Result) WriteText(out io.Writer, rate float64) error {
	b := bufio.NewWriter(out)
	r.Summary.writeText(b, rate)
	writeLines(b, r.Timeline.Entries())
	if n := r.Timeline.Lost(); n > 0 {
		fmt.Fprintf(b, "… %d entries more are left out; simulate a shorter --horizon to see all\n", n)
	}
	return b.Flush()
}

// WriteText writes the summary for a person. rate is how many requests a second are imagined.
func (s *Summary) WriteText(out io.Writer, rate float64) error {
	b := bufio.NewWriter(out)
	s.writeText(b, rate)
	return b.Flush()
}

func (s *Summary) writeText(out io.Writer, rate float64) {
	fmt.Fprintf(out, "%s: %v simulated, seed %d\n", strings.Join(s.Workloads, "; "), s.Horizon, s.Seed)
	line := func(head, format string, args ...any) {
		fmt.Fprintf(out, "  %-16s "+format+"\n", append([]any{head}, args...)...)
	}
	line("first ready", "%s", s.readyText())
	for _, l := range s.Loops {
		line("restart loop", "%s", l.text())
	}
	for i, text := range s.faultTexts() {
		head := ""
		if i == 0 {
			head = "faults"
		}
		line(head, "%s", text)
	}
	line("restarts", "%s", s.restartText())
	for _, late := range s.Late {
		line("rollout", "%s exceeded progressDeadlineSeconds at %v", late.Workload, late.At)
	}
	for _, r := range s.Routes {
		line("unavailable", "%s", r.text(s.Horizon))
		line("failed requests", "%.0f of %.0f at %g/s%s", r.Failed(rate), rate*time.Duration(s.Horizon).Seconds(), rate, r.failedBy(rate))
	}
}

func (s *Summary) readyText() string {
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

func (l Loop) text() string {
	switch l.Verdict {
	case LoopSafe:
		return fmt.Sprintf("safe: %s, %s", l.Container, l.Why)
	case LoopCertain:
		return fmt.Sprintf("certain: %s, %s%s", l.Container, l.Why, l.remedy())
	default:
		return fmt.Sprintf("lottery: %s, %s of all starts are cut short if the ticks fall at random: %s%s", l.Container, percent(l.Odds), l.Why, l.remedy())
	}
}

func (l Loop) remedy() string {
	if l.Needs == 0 {
		return ""
	}
	return fmt.Sprintf("; failureThreshold %d would do", l.Needs)
}

// faultTexts say what became of each fault: each time if there were few, else as counts.
func (s *Summary) faultTexts() (texts []string) {
	const few = 6
	if len(s.Faults) <= few {
		for _, o := range s.Faults {
			texts = append(texts, s.occurrenceText(o))
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
		texts = append(texts, s.countText(name))
	}
	return texts
}

func (s *Summary) countText(name string) string {
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

func (s *Summary) occurrenceText(o *Occurrence) string {
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
	return text + s.closedText(o)
}

func reaction(o *Occurrence) string {
	var parts []string
	if o.Drained != nil {
		parts = append(parts, fmt.Sprintf("out of rotation after %v", o.Drained))
	}
	if o.Restarted != nil {
		parts = append(parts, fmt.Sprintf("restarted by %s after %v", script.ProbeName(o.By), o.Restarted))
	}
	return strings.Join(parts, ", ")
}

// closedText says what to expect on other days, when the fault meets the ticks at another phase.
func (s *Summary) closedText(o *Occurrence) string {
	var parts []string
	for _, t := range []lifecycle.ProbeType{lifecycle.Readiness, lifecycle.Liveness} {
		if span, ok := s.expected(o, t); ok {
			parts = append(parts, fmt.Sprintf("%s in %v", script.ProbeName(t), span))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (at any phase: " + strings.Join(parts, ", ") + ")"
}

func (s *Summary) restartText() string {
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

func (r Route) text(horizon Offset) string {
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

func (r Route) failedBy(rate float64) string {
	if r.Failed(rate) == 0 {
		return ""
	}
	nobody := rate * time.Duration(r.Unavailable).Seconds()
	return fmt.Sprintf(": %.0f with nobody to send them to, %.0f sent to a pod that did not answer", nobody, r.Failed(rate)-nobody)
}
