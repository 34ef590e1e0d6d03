package drill

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// evidence is what a rule judges: one repetition of a fault.
type evidence struct {
	*Repetition
	fault    Fault
	workload *Workload
	// owned: the manifest declares that the service is of no use without the dependency.
	owned bool
	// delay is how long the front takes to learn of endpoints.
	delay time.Duration
	// window is how much of the load's end shows whether all is as before.
	window Offset
}

// rule is one of the rules V1 to V9. It returns nil if it does not apply.
type rule struct {
	id    string
	judge func(e evidence) *Verdict
}

func rules() []rule {
	return []rule{
		{"V1", restartedInTime}, {"V2", notRestarted}, {"V3", notGreenWhileFailing}, {"V4", notRedWhileWorking}, {"V5", recovered},
		{"V6", fleetStayed}, {"V7", nothingLost}, {"V8", startedWithout}, {"V9", outOfRotationFirst},
	}
}

// judge gives the verdicts of all rules over all repetitions, the worst first. Repetitions in which
// this machine was too late count only if there are no others, and then the drill cannot tell.
func judge(repetitions []evidence) []Verdict {
	sound := soundOf(repetitions)
	if len(sound) == 0 && len(repetitions) > 0 {
		worst := slices.MaxFunc(repetitions, func(a, b evidence) int { return cmp.Compare(a.Late, b.Late) })
		return []Verdict{{Rule: "noise", Grade: GradeInconclusive, Word: "inconclusive",
			Text: fmt.Sprintf("this machine was too busy to tell: the drill itself was up to %s late", text(worst.Late)), Repetitions: numbers(repetitions)}}
	}
	var verdicts []Verdict
	for _, r := range rules() {
		var worst *Verdict
		var in []int
		for _, e := range sound {
			v := r.judge(e)
			if v == nil {
				continue
			}
			if v.Rule = r.id; worst == nil || v.Grade.worse(worst.Grade) {
				worst, in = v, nil
			}
			if v.Grade == worst.Grade {
				in = append(in, e.Number)
			}
		}
		if worst != nil {
			worst.Repetitions = in
			verdicts = append(verdicts, *worst)
		}
	}
	slices.SortStableFunc(verdicts, func(a, b Verdict) int { return b.Grade.rank() - a.Grade.rank() })
	return verdicts
}

// soundOf are the repetitions that say something.
func soundOf(repetitions []evidence) []evidence {
	return slices.DeleteFunc(slices.Clone(repetitions), func(e evidence) bool { return e.Tainted })
}

func numbers(list []evidence) (all []int) {
	for _, e := range list {
		all = append(all, e.Number)
	}
	return all
}

func (g Grade) rank() int {
	return slices.Index([]Grade{GradePass, GradeWarning, GradeInconclusive, GradeFail}, g)
}

func (g Grade) worse(than Grade) bool { return g.rank() > than.rank() }

func pass(word, format string, args ...any) *Verdict {
	return &Verdict{Grade: GradePass, Word: word, Text: fmt.Sprintf(format, args...)}
}

func warn(word, probe, format string, args ...any) *Verdict {
	return &Verdict{Grade: GradeWarning, Word: word, Probe: probe, Text: fmt.Sprintf(format, args...)}
}

func fail(word, probe, format string, args ...any) *Verdict {
	return &Verdict{Grade: GradeFail, Word: word, Probe: probe, Text: fmt.Sprintf(format, args...)}
}

// text rounds a time as people read it: tenths of a second.
func text(d Offset) string {
	return script.FormatDuration(time.Duration(d).Round(100 * time.Millisecond))
}

const (
	// precision is by how much what was measured may differ from what was predicted.
	precision = 250 * time.Millisecond
	// ownLag is how long a service may take to know itself that it cannot work, where a rule has to
	// allow for it.
	ownLag = 2 * time.Second
	// mayFail is the share of requests that may fail without anybody being to blame.
	mayFail = 0.05
	// fewest is of how many requests a share says something.
	fewest = 8
)

// restartedInTime is V1: a fault inside of a process leads to a restart when the probes' numbers
// say.
func restartedInTime(e evidence) *Verdict {
	if e.fault.Side() != SideInside {
		return nil
	}
	m, p := e.Measured, e.Predicted
	switch {
	case e.workload.liveness() == nil:
		return fail("missed", "Liveness", "nothing restarts it: container %s has no liveness probe%s", e.workload.Container, e.restartedInstead())
	case m.Killed == nil:
		return fail("missed", "Liveness", "it was broken for %s, and its liveness probe let it be%s", text(e.End-e.Begin), e.restartedInstead())
	}
	lag := Offset(0)
	if e.OwnLag != nil {
		lag = *e.OwnLag
	}
	if p.Killed != nil && *m.Killed-lag-*p.Killed > Offset(precision) {
		return fail("late", "Liveness", "restarted after %s; by its numbers it had to be after %s", text(*m.Killed), text(*p.Killed+lag))
	}
	limit := min(e.workload.Grace, Offset(replaceLimit))
	// a longer grace period was not waited for: then the fault was undone, and it ended by that
	long := e.workload.Grace > limit && m.Replaced != nil && *m.Replaced-*m.Killed >= limit
	if m.Replaced == nil || long || *m.Replaced-*m.Killed > limit+e.workload.Start+Offset(ownLag) {
		return fail("late", "", "it was to be restarted after %s, and its process was still there %s later: its grace period is %s", text(*m.Killed), text(limit), text(e.workload.Grace))
	}
	v := pass("caught", "restart decided after %s", text(*m.Killed))
	if p.Killed != nil && lag == 0 {
		v.Text += fmt.Sprintf(", %s was predicted", text(*p.Killed))
	}
	if more := *m.Replaced - *m.Killed; more > Offset(5*time.Second) {
		v.Text += fmt.Sprintf("; replacing it took %s more: a grace period that it cannot use", text(more))
	}
	return v
}

// restartedInstead says which containers of the Pod were restarted although another one is broken;
// "" if none was.
func (e evidence) restartedInstead() string {
	var others []string
	for _, c := range e.Changes {
		if c.Kind == ChangeDecided && c.Pod == e.Pod && c.At >= e.Begin && c.At < e.End && c.Container != "" && c.Container != e.workload.Container {
			others = append(others, c.Container)
		}
	}
	if len(others) == 0 {
		return ""
	}
	slices.Sort(others)
	return fmt.Sprintf("; restarted was %s instead, which cures nothing", strings.Join(slices.Compact(others), ", "))
}

// notRestarted is V2: what is not inside of the process is no reason to restart it.
func notRestarted(e evidence) *Verdict {
	if side := e.fault.Side(); side != SideOutside && side != SideNone {
		return nil
	}
	total, most, exits := 0, 0, 0
	for _, r := range e.Replicas {
		total, most, exits = total+r.Restarts, max(most, r.Restarts), exits+r.Exits
	}
	by := e.decidedBy()
	switch {
	case most > 1:
		return fail("restart loop", by, "%s by its %s probe, which cures nothing", plural(total, "restart", "restarts"), by)
	case total > 0:
		return fail("false restart", by, "%s of %d replicas restarted by the %s probe, which cures nothing", fmt.Sprint(e.restarted()), len(e.Replicas), by)
	case exits > 0 && !e.fault.AtStart:
		return fail("false restart", "", "%s ended by itself, which cures nothing", plural(exits, "process", "processes"))
	case e.fault.Kind == KindBaseline && e.broken():
		return fail("never ready", "", "it was not ready after %s, without any fault", text(e.Until-e.Begin))
	}
	return pass("passed", "no restart")
}

func (e evidence) broken() bool {
	return slices.ContainsFunc(e.Replicas, func(r Replica) bool { return !r.Ready })
}

// restarted is how many replicas were restarted by a probe.
func (e evidence) restarted() (n int) {
	for _, r := range e.Replicas {
		if r.Restarts > 0 {
			n++
		}
	}
	return n
}

// decidedBy is the probe that decided a restart.
func (e evidence) decidedBy() string {
	for _, c := range e.Changes {
		if c.Kind == ChangeDecided && c.At >= e.Begin {
			return c.Text
		}
	}
	return "Liveness"
}

// excused reports whether a replica is right to be ready although requests fail: some classes of
// them are answered without the dependency.
func (e evidence) excused() bool {
	return e.fault.Kind == KindDependency && !e.owned && len(e.survivors()) > 0
}

// notGreenWhileFailing is V3: a replica that fails its requests does not stay ready for longer than
// its readiness probe takes at most.
func notGreenWhileFailing(e evidence) *Verdict {
	if e.fault.Side() == SideEnd || e.workload.Service == "" || e.excused() {
		return nil
	}
	notices, container := e.workload.notices()
	allowed, probe, judged := notices.worst(), lifecycle.Readiness, false
	if allowed == 0 {
		allowed, container, probe = e.workload.liveness().worst(), e.workload.Container, lifecycle.Liveness
	}
	var slowest *Offset
	for _, pod := range e.pods() {
		lag := lagOf(e.Repetition, pod, container, probe)
		if lag != nil && (slowest == nil || *lag > *slowest) {
			slowest = lag
		}
		from := e.Begin + Offset(allowed) + noticing(lag)
		if e.fault.Kind == KindBaseline {
			from, lag = e.Begin, nil
		}
		sent, failed := 0, 0
		for _, r := range e.Requests {
			if r.Pod == pod && r.At >= from && r.At < e.End && e.readyAt(pod, r.At-Offset(e.delay)-Offset(precision)) && e.readyAt(pod, r.At) {
				sent++
				if r.Failed {
					failed++
				}
			}
		}
		judged = judged || sent > 0
		if sent >= fewest && float64(failed) > mayFail*float64(sent) {
			return fail("green while failing", "Readiness", "%s stayed ready while %d of the %d requests that it got failed%s", pod, failed, sent, lagText(lag))
		}
	}
	if !judged {
		return nil
	}
	if e.fault.Kind == KindBaseline {
		slowest = nil
	}
	return pass("passed", "who was ready answered%s", lagText(slowest))
}

// noticing is how long a service's own answers may stay good after a fault: as long as they did,
// up to what is too long for any service. If they never turned bad, it is that.
func noticing(lag *Offset) Offset {
	if lag == nil {
		return Offset(ownLag)
	}
	return min(*lag, Offset(ownLag))
}

// lagText is what a verdict says of a lag that it allowed for.
func lagText(lag *Offset) string {
	switch {
	case lag == nil || *lag == 0:
		return ""
	case *lag > Offset(ownLag):
		return fmt.Sprintf("; its own answers turned bad %s late, of which %s are allowed", text(*lag), text(Offset(ownLag)))
	}
	return fmt.Sprintf("; its own answers turned bad %s late (own lag)", text(*lag))
}

// notRedWhileWorking is V4: a replica that answers is not killed.
func notRedWhileWorking(e evidence) *Verdict {
	if e.fault.Side() == SideInside || e.fault.Side() == SideEnd {
		return nil
	}
	const window = Offset(10 * time.Second)
	for _, c := range e.Changes {
		if c.Kind != ChangeDecided {
			continue
		}
		sent, good := 0, 0
		for _, r := range e.Requests {
			if r.Pod == c.Pod && r.At >= max(e.Begin, c.At-window) && r.At < c.At {
				sent++
				if !r.Failed {
					good++
				}
			}
		}
		if sent >= fewest && float64(good) >= (1-mayFail)*float64(sent) {
			return fail("red while working", c.Text, "%s was restarted by its %s probe although it answered %d of %d requests", c.Pod, c.Text, good, sent)
		}
	}
	return nil
}

// recovered is V5: when the fault is over, everything is as before.
func recovered(e evidence) *Verdict {
	if e.fault.Kind == KindBaseline {
		return nil
	}
	m := e.Measured
	if e.fault.Side() == SideInside && (m.Replaced == nil || m.Killed == nil && *m.Replaced >= e.End-e.Begin) {
		return nil // no probe restarted it, the drill itself did at most: V1 says it
	}
	for _, r := range e.Replicas {
		if !r.Ready {
			return fail("stuck", "Readiness", "%s was not ready again %s after the fault was over", r.Pod, text(e.Until-e.End))
		}
	}
	if v := e.readyTooSoon(); v != nil {
		return v
	}
	sent, failed := 0, 0
	for _, r := range e.Requests {
		if r.At >= e.Sent-e.window {
			sent++
			if r.Failed {
				failed++
			}
		}
	}
	if sent >= fewest && float64(failed) > 2*mayFail*float64(sent) {
		return fail("stuck", "", "%d of %d requests still failed %s after the fault was over", failed, sent, text(e.Sent-e.End))
	}
	return pass("recovered", "all are ready again")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
