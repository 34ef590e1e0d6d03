package simulate

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// LoopVerdict is whether a container can be restarted for ever because it starts too slowly.
type LoopVerdict string

// The verdicts. A lottery depends on where the ticks of the probe fall.
const (
	LoopSafe    LoopVerdict = "safe"
	LoopLottery LoopVerdict = "lottery"
	LoopCertain LoopVerdict = "certain"
)

// Loop is the verdict on one container.
type Loop struct {
	Workload  string      `json:"workload"` // as in "deployment/web"
	Container string      `json:"container"`
	Verdict   LoopVerdict `json:"verdict"`
	// that cuts the start short; empty if none can
	Probe lifecycle.ProbeType `json:"probe,omitempty"`
	// Odds is the probability that a start is cut short, if the phase of the ticks is a matter of
	// chance.
	Odds Number `json:"odds"`
	// Safe is the longest start-up that is never cut short, Fatal the longest that is not always.
	Safe  Offset `json:"safe"`
	Fatal Offset `json:"fatal"`
	// Why is the inequality that decides.
	Why string `json:"why"`
	// Needs is the failureThreshold that would be enough for the longest start-up, or its 99th
	// percentile; 0 if it is safe.
	Needs int `json:"needs,omitempty"`
}

// loopOf judges a container by the closed form: safe up to D + (F−1)·P, certain above D + F·P, if
// it starts at any moment between the ticks.
func loopOf(c *corev1.Container, p script.Program, policy corev1.RestartPolicy, at startPhase) Loop {
	if p.Exit != nil && (policy == corev1.RestartPolicyAlways || policy == corev1.RestartPolicyOnFailure && p.Exit.Code != 0) {
		return Loop{Container: c.Name, Verdict: LoopCertain, Odds: 1, Why: fmt.Sprintf("its process ends by itself, %v after each start", p.Exit.After)}
	}
	probe, t := c.StartupProbe, lifecycle.Startup
	if probe == nil {
		probe, t = c.LivenessProbe, lifecycle.Liveness
	}
	startup := p.Startup.String()
	if probe == nil {
		return Loop{Container: c.Name, Verdict: LoopSafe, Why: "no startup or liveness probe can cut its start short"}
	}
	if missingPort(c, probe) != "" || !noticesStart(probe, p.Before) {
		return Loop{Container: c.Name, Verdict: LoopSafe, Probe: t, Why: "while it starts, the " + script.ProbeName(t) + " probe does not fail"}
	}
	timing, hang := closedFormOf(probe), p.Before.Kind == script.ReplyHang
	if ticks := at.firstTicks(timing.Delay, timing.Period); ticks != nil {
		return loopBehind(Loop{Container: c.Name, Probe: t}, timing, hang, p.Startup, at.sidecar, ticks)
	}
	loop := Loop{Container: c.Name, Probe: t, Safe: Offset(timing.StartSafe(hang)), Fatal: Offset(timing.StartFatal(hang)), Verdict: LoopLottery}
	loop.Odds = Number(p.Startup.Expect(func(s time.Duration) float64 { return timing.CutShort(s, hang) }))
	switch {
	case loop.Odds <= 0:
		loop.Verdict = LoopSafe
		loop.Why = fmt.Sprintf("start-up %s ≤ %s = %s", startup, sumOf(timing, timing.Failures-1, hang), loop.Safe)
		return loop
	case loop.Odds >= 1:
		loop.Verdict = LoopCertain
		loop.Why = fmt.Sprintf("start-up %s > %s = %s", startup, sumOf(timing, timing.Failures, hang), loop.Fatal)
	case p.Startup.IsFixed():
		loop.Why = fmt.Sprintf("start-up %s lies between %s = %s and %s = %s", startup,
			sumOf(timing, timing.Failures-1, hang), loop.Safe, sumOf(timing, timing.Failures, hang), loop.Fatal)
	default:
		loop.Why = fmt.Sprintf("start-up (%s) exceeds %s = %s in %s of all starts", startup,
			sumOf(timing, timing.Failures-1, hang), loop.Safe, Percent(p.Startup.Exceeds(time.Duration(loop.Safe))))
	}
	loop.Needs = needs(timing, p.Startup)
	return loop
}

// loopBehind judges a container that starts at one of the ticks of a sidecar's startup probe; ticks
// are when its own first attempt may come.
func loopBehind(loop Loop, timing closedForm, hang bool, startup script.Distribution, sidecar string, ticks []time.Duration) Loop {
	base, odds := timing.StartSafe(hang), 0.0
	for _, tick := range ticks {
		odds += startup.Exceeds(base+tick) / float64(len(ticks))
	}
	loop.Safe, loop.Fatal, loop.Odds, loop.Verdict = Offset(base+slices.Min(ticks)), Offset(base+slices.Max(ticks)), Number(odds), LoopLottery
	why := fmt.Sprintf("it starts as the startup probe of %s succeeds, and so failure %d comes", sidecar, timing.Failures)
	between := fmt.Sprintf("%s to %s", loop.Safe, loop.Fatal)
	if loop.Safe == loop.Fatal {
		between = loop.Safe.String()
	}
	switch {
	case odds <= 0:
		loop.Verdict = LoopSafe
		loop.Why = fmt.Sprintf("start-up %s ≤ %s: %s no earlier", startup, loop.Safe, why)
		return loop
	case odds > 1-1e-9: // a sum of shares
		loop.Verdict, loop.Odds = LoopCertain, 1
		loop.Why = fmt.Sprintf("start-up %s > %s: %s no later", startup, loop.Fatal, why)
	default:
		loop.Why = fmt.Sprintf("start-up %s, and %s after %s", startup, why, between)
	}
	loop.Needs = needs(timing, startup)
	return loop
}

// needs is ceil((S − D)/P) + 1, with the longest start-up, or its 99th percentile if it has no
// bound.
func needs(t closedForm, startup script.Distribution) int {
	longest := startup.Max()
	if longest >= script.Infinity {
		longest = startup.Quantile(0.99)
	}
	return int((max(longest-t.Delay, 0)+t.Period-1)/t.Period) + 1
}

// noticesStart reports whether a probe fails while a program starts.
func noticesStart(p *corev1.Probe, before script.Reply) bool {
	switch before.Kind {
	case script.ReplyGood:
		return false
	case script.ReplyError:
		return p.GRPC != nil // R95
	case script.ReplyRefused:
		return true
	case script.ReplyStatus:
		outcome, _ := Handler{status: "%d"}.answered(before.Code)
		return p.TCPSocket == nil && outcome == lifecycle.OutcomeFailure
	default:
		return p.TCPSocket == nil
	}
}

func sumOf(t closedForm, n int, hang bool) string {
	text := ""
	if t.Delay > 0 {
		text = fmt.Sprintf("initialDelaySeconds %s + ", bare(t.Delay))
	}
	text += fmt.Sprintf("%d × periodSeconds %s", n, bare(t.Period))
	if hang {
		text += " + timeoutSeconds " + bare(t.Timeout)
	}
	return text
}

// bare writes whole seconds as manifests do.
func bare(d time.Duration) string { return fmt.Sprint(int(d.Seconds())) }
