package simulate

import (
	"slices"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
)

// attempt asks the programs and lets the answer arrive when it is due.
func (p *pod) attempt(e lifecycle.RunProbe) {
	c := p.container(e.Container)
	answer := p.programs.Probe(Attempt{Instance: c.instance, Type: e.Type, Probe: e.Probe, At: p.cluster.now})
	p.attempts++
	c.inFlight = append(c.inFlight, attemptInFlight{p.attempts, e.Type, p.cluster.now})
	p.cluster.measures.attempted(e.Type, answer.Outcome, 1)
	if e.Type == lifecycle.Liveness {
		p.cluster.measures.livenessAttempted(p, c, p.cluster.now)
	}
	done := lifecycle.ProbeDone{Container: e.Container, Instance: e.Instance, Type: e.Type, Outcome: answer.Outcome, Output: answer.Output}
	p.queue.put(item{at: p.cluster.now + max(answer.After, 0), event: done, attempt: p.attempts})
}

// attemptDone hands the answer to the core and notes what came of it.
func (p *pod) attemptDone(c *container, e lifecycle.ProbeDone, i int) {
	began := c.inFlight[i].began
	c.inFlight = slices.Delete(c.inFlight, i, i+1)
	unchanged := e.Outcome == lifecycle.OutcomeSuccess && p.state.SuccessIsRoutine(e.Container, e.Type)
	effects := p.state.On(e, p.cluster.time(p.cluster.now))
	p.setDeadline()
	if p.cluster.timeline != nil || e.Outcome == lifecycle.OutcomeFailure {
		p.noteAttempt(c, e, began, unchanged)
	}
	for _, effect := range effects {
		p.carryOut(effect)
	}
	if p.statusChanged {
		p.publish()
	}
}

// noteAttempt notes what an attempt found and what counts now.
func (p *pod) noteAttempt(c *container, e lifecycle.ProbeDone, began time.Duration, unchanged bool) {
	now := p.probeState(e.Container, e.Type)
	if now.Hold { // the counter starts anew
		now.Run = now.Threshold
	}
	if e.Outcome == lifecycle.OutcomeFailure && now.Hold && now.Result == lifecycle.ResultFailure {
		p.cluster.measures.restartDecided(p, c, e.Type)
	}
	if p.cluster.timeline == nil {
		return
	}
	entry := Entry{
		At: Offset(began), Kind: EntryProbe, Pod: p.object.Name, Container: e.Container, Instance: c.instance.Number,
		Probe: &Attempts{Type: e.Type, Outcome: outcomeName(e.Outcome), Output: e.Output, Took: Offset(p.cluster.now - began), Times: 1,
			Timeout: p.timeout(c, e.Type), Run: now.Run, Threshold: now.Threshold, Result: now.Result},
	}
	p.cluster.timeline.addAttempts(entry, unchanged, p.period(c, e.Type))
}

func (p *pod) cancel(c *container, t lifecycle.ProbeType) {
	i := slices.IndexFunc(c.inFlight, func(f attemptInFlight) bool { return f.probe == t })
	if i < 0 {
		return
	}
	began := c.inFlight[i].began
	c.inFlight = slices.Delete(c.inFlight, i, i+1)
	if p.cluster.timeline == nil {
		return
	}
	p.cluster.timeline.addAttempts(Entry{
		At: Offset(began), Kind: EntryProbe, Pod: p.object.Name, Container: c.spec.Name, Instance: c.instance.Number,
		Probe: &Attempts{Type: t, Outcome: "cancelled", Took: Offset(p.cluster.now - began), Times: 1, Result: p.probeState(c.spec.Name, t).Result},
	}, false, 0)
}

func (p *pod) probeState(container string, t lifecycle.ProbeType) (found lifecycle.ProbeState) {
	p.state.EachProbe(func(s lifecycle.ProbeState) {
		if s.Container == container && s.Type == t {
			found = s
		}
	})
	return found
}

func (p *pod) period(c *container, t lifecycle.ProbeType) time.Duration {
	for typ, probe := range probesOf(c.spec) {
		if typ == t {
			return seconds(probe.PeriodSeconds)
		}
	}
	return 0
}

func (p *pod) timeout(c *container, t lifecycle.ProbeType) Offset {
	for typ, probe := range probesOf(c.spec) {
		if typ == t {
			return Offset(seconds(probe.TimeoutSeconds))
		}
	}
	return 0
}

func outcomeName(o lifecycle.ProbeOutcome) string {
	switch o {
	case lifecycle.OutcomeSuccess:
		return "success"
	case lifecycle.OutcomeWarning:
		return "warning"
	case lifecycle.OutcomeFailure:
		return "failure"
	default:
		return "error"
	}
}

// skipSuccesses passes over time in which nothing but successes happens: from now to the next thing
// that may be different. It reports whether there was such time.
func (p *pod) skipSuccesses() bool {
	if p.skip == nil || p.cluster.noSkip || !p.state.Steady() || p.cluster.mayDeletePods() {
		return false
	}
	until := min(p.queue.next(), p.cluster.queue.next(), p.cluster.end+1)
	p.state.EachProbe(func(s lifecycle.ProbeState) {
		if c := p.container(s.Container); c.running && !s.Hold && s.Result == lifecycle.ResultSuccess {
			until = min(until, p.skip.succeedsUntil(s.Container, s.Type, p.cluster.since(s.Next)))
		}
	})
	if until <= p.deadline+time.Second {
		return false
	}
	p.state.Skip(p.cluster.time(until), func(container string, t lifecycle.ProbeType, first time.Time, runs int) {
		p.noteSkipped(container, t, p.cluster.since(first), runs)
	})
	p.setDeadline()
	return true
}

// noteSkipped notes successes of attempts that were not made.
func (p *pod) noteSkipped(container string, t lifecycle.ProbeType, began time.Duration, runs int) {
	c := p.container(container)
	p.skip.skipped(container, t, runs)
	p.cluster.measures.attempted(t, lifecycle.OutcomeSuccess, runs)
	if t == lifecycle.Liveness {
		p.cluster.measures.livenessAttempted(p, c, began)
	}
	if p.cluster.timeline == nil {
		return
	}
	now := p.probeState(container, t)
	p.cluster.timeline.addAttempts(Entry{
		At: Offset(began), Kind: EntryProbe, Pod: p.object.Name, Container: container, Instance: c.instance.Number,
		Probe: &Attempts{Type: t, Outcome: "success", Timeout: p.timeout(c, t), Times: runs, Run: now.Run - runs + 1, Threshold: now.Threshold, Result: now.Result},
	}, true, p.period(c, t))
}
