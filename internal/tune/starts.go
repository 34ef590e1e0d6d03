package tune

import (
	"fmt"
	"math"
)

// startFactor is how much longer than the longest measured start one may take. A fleet starts
// thousands of times, and the longest of ten starts is not the longest of thousands.
const startFactor = 2

// Supports is the share of all starts that is at most as long as the longest of n, with
// [Confidence]: 0.05^(1/n). It holds whatever the distribution is.
func Supports(n int) float64 {
	if n == 0 {
		return 0
	}
	return math.Pow(1-Confidence, 1/float64(n))
}

// startup chooses the numbers of the startup probe: the budget is twice the longest start.
func (r *recommendation) startup() {
	c, t := r.container, &r.today
	longest := r.advice.Measured.LongestStart
	if len(c.Starts) == 0 {
		r.note("No start was measured: the startup probe stays as it is.")
		return
	}
	budget := int(math.Ceil(startFactor * longest))
	r.promise(Promise{Objective: "start", Basis: Measured, Text: fmt.Sprintf(
		"%d starts, the longest %s: with 95 %% confidence %.0f %% of all starts are as short; the budget of %d× that is an assumption",
		len(c.Starts), Time(longest), 100*r.advice.Measured.StartShare, startFactor)})
	asked, least := r.startEndpoint()
	if s := t.Startup; s != nil && s.Timeout >= least && t.StartDelay+(s.Failures-1)*s.Period >= budget && fitsRollout(t, s, budget) {
		r.choose("startup", s, *s)
		r.promiseTimeout("startup", asked, s.Timeout)
		return
	}
	if live := r.advice.Choice("liveness"); t.Startup == nil && (live == nil || t.LiveDelay+(live.Next.Failures-1)*live.Next.Period >= budget) {
		return // liveness is patient enough by itself, or there is none
	}
	next := startupFor(budget, least)
	if d := t.ProgressDeadline; d > 0 && next.Failures*next.Period > d {
		r.infeasible(fmt.Sprintf("a start may take %d s, and a rollout gives up after progressDeadlineSeconds %d", next.Failures*next.Period, d))
		return
	}
	r.choose("startup", t.Startup, next)
	r.promiseTimeout("startup", asked, next.Timeout)
	r.note(fmt.Sprintf("A start that hangs is noticed after %d s at the latest: the price of the budget for starts.", next.Failures*next.Period+next.Timeout))
}

// startEndpoint is what the startup probe asks, and its least timeout. A new one asks what liveness
// asks, and has to wait for the same answers.
func (r *recommendation) startEndpoint() (asked *Endpoint, least int) {
	probe, now := "startup", r.today.Startup
	if now == nil {
		probe, now = "liveness", r.today.Liveness
	}
	asked = r.container.Endpoint(probe)
	return asked, timeout(asked, now)
}

// fitsRollout reports whether a rollout gives a start the time that today's probe gives it.
func fitsRollout(t *Today, s *Setting, budget int) bool {
	return t.ProgressDeadline == 0 || budget <= t.ProgressDeadline && t.StartDelay+s.Failures*s.Period <= max(t.ProgressDeadline, budget)
}

// startupFor allows a start of so many seconds: F = ⌈budget / P⌉ + 1. A period of 1 s has a Pod
// ready soonest; where that would be many attempts it is 2 or 3 s.
func startupFor(budget, timeout int) Setting {
	period := min(max(timeout, 1+budget/60), max(3, timeout))
	return Setting{Period: period, Timeout: timeout, Failures: (budget+period-1)/period + 1}
}
