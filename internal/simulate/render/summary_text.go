package render

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/simulate"
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
	line("first ready", "%s%s", readyText(s), phaseText(s, func(a *simulate.AnyPhase) simulate.Range { return a.Ready }, inTime))
	for _, text := range loopTexts(s.Loops) {
		line("restart loop", "%s", text)
	}
	for i, text := range faultTexts(s) {
		head := ""
		if i == 0 {
			head = "faults"
		}
		line(head, "%s", text)
	}
	line("restarts", "%s%s", restartText(s), phaseText(s, func(a *simulate.AnyPhase) simulate.Range { return a.Restarts }, inNumbers))
	for _, late := range s.Late {
		line("rollout", "%s exceeded progressDeadlineSeconds at %v", late.Workload, late.At)
	}
	worst := phaseText(s, func(a *simulate.AnyPhase) simulate.Range { return a.Unavailable }, inTime)
	for _, r := range s.Routes {
		if len(s.Routes) > 1 { // the figures of all phases are those of the worst Service
			worst = ""
		}
		line("unavailable", "%s%s", routeText(r, s.Horizon), worst)
		line("failed requests", "%s", failedText(r, s.Horizon, rate))
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

// restartText says of how many restarts which were decided by whom, so that the sums add up; what
// was decided and not carried out comes after them.
func restartText(s *simulate.Summary) string {
	var pending, pendingFalse int
	for _, v := range s.Verdicts {
		pending += oneIf(v.RunningAgain == nil)
		pendingFalse += oneIf(v.RunningAgain == nil && v.False)
	}
	text := fmt.Sprint(s.Restarts)
	var parts []string
	if s.RestartsByProbe > 0 {
		parts = append(parts, fmt.Sprintf("%d decided by a probe", s.RestartsByProbe)+forNothing(s.FalseRestarts-pendingFalse))
	}
	if n := s.Restarts - s.RestartsByProbe; n > 0 {
		parts = append(parts, fmt.Sprintf("%d after the process ended by itself", n))
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if pending > 0 {
		text += fmt.Sprintf("; %d more decided by a probe and not running again at %v", pending, s.Horizon) + forNothing(pendingFalse)
	}
	if s.Backoffs > 0 {
		text += fmt.Sprintf("; the back-off put starts off %s", times(s.Backoffs))
	}
	if s.Restarts+pending == 0 && slices.ContainsFunc(s.Faults, notBegun) {
		text += ", liveness has not begun yet"
	}
	return text
}

func forNothing(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d for nothing)", n)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
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

func failedText(r simulate.Route, horizon simulate.Offset, rate float64) string {
	failed := math.Round(r.Failed(rate))
	text := fmt.Sprintf("%.0f of %.0f at %g/s", failed, rate*time.Duration(horizon).Seconds(), rate)
	if failed == 0 {
		return text
	}
	nobody := min(math.Round(rate*time.Duration(r.Unavailable).Seconds()), failed)
	return text + fmt.Sprintf(": %.0f with nobody to send them to, %.0f sent to a pod that did not answer", nobody, failed-nobody)
}
