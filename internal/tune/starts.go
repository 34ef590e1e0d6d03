package tune

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
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

// kind is the starts of one way, which may be taken for draws of one distribution: those at the CPU
// limit say nothing of those alone.
type kind struct {
	words   string
	count   int
	longest float64
}

// kinds are those that were measured.
func kinds(starts []Start) (list []kind) {
	for _, way := range []struct {
		how   How
		words string
	}{{Alone, "alone"}, {Together, "at once"}, {Limited, "at the CPU limit"}, {Live, "on the cluster"}} {
		k := kind{words: way.words}
		for _, s := range starts {
			if s.How == way.how {
				k.count, k.longest = k.count+1, max(k.longest, s.Seconds)
			}
		}
		if k.count > 0 {
			list = append(list, k)
		}
	}
	return list
}

// startShare is the share of starts that is at most as long as the longest, of those of its kind.
func startShare(starts []Start) float64 {
	list := kinds(starts)
	if len(list) == 0 {
		return 0
	}
	return Supports(slices.MaxFunc(list, func(a, b kind) int {
		return cmp.Or(cmp.Compare(a.longest, b.longest), cmp.Compare(b.count, a.count))
	}).count)
}

// startsText says of each kind of start what was measured, and what that supports.
func startsText(starts []Start) string {
	var parts []string
	for _, k := range kinds(starts) {
		parts = append(parts, fmt.Sprintf("of %d %s the longest took %s, so %.0f %% of such are as short", k.count, k.words, Time(k.longest), 100*Supports(k.count)))
	}
	return strings.Join(parts, "; ") + " (95 % confidence)"
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
		"%s; the budget of %d× the longest is an assumption", startsText(c.Starts), startFactor)})
	asked, least := r.startEndpoint()
	if s := t.Startup; s != nil && s.Timeout >= least && t.StartDelay+(s.Failures-1)*s.Period >= budget && fitsRollout(t, s, budget) {
		r.choose("startup", s, *s)
		r.promiseTimeout("startup", asked, s.Timeout)
		return
	}
	live := t.Liveness
	if c := r.advice.Choice("liveness"); c != nil {
		live = &c.Next
	}
	if t.Startup == nil && (live == nil || t.LiveDelay+(live.Failures-1)*live.Period >= budget) {
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
