package simulate

import (
	"slices"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
)

// attempt asks the service and lets the answer arrive when it is due.
func (p *pod) attempt(e lifecycle.RunProbe) {
	b := p.box(e.Container)
	answer := p.programs.Probe(Attempt{Instance: b.instance, Type: e.Type, Probe: e.Probe, At: p.w.now})
	p.attempts++
	b.flights = append(b.flights, flight{p.attempts, e.Type, p.w.now})
	p.w.measures.attempted(e.Type, answer.Outcome, 1)
	done := lifecycle.ProbeDone{Container: e.Container, Instance: e.Instance, Type: e.Type, Outcome: answer.Outcome, Output: answer.Output}
	p.queue.put(item{at: p.w.now + max(answer.After, 0), event: done, attempt: p.attempts})
}

// landed hands the answer to the core and notes what came of it.
func (p *pod) landed(b *box, e lifecycle.ProbeDone, i int) {
	began := b.flights[i].began
	b.flights = slices.Delete(b.flights, i, i+1)
	calm := e.Outcome == lifecycle.OutcomeSuccess && p.state.Calm(e.Container, e.Type)
	effects := p.state.On(e, p.w.time(p.w.now))
	p.setDeadline()
	if p.w.timeline != nil || e.Outcome == lifecycle.OutcomeFailure {
		p.judged(b, e, began, calm)
	}
	for _, effect := range effects {
		p.carryOut(effect)
	}
	if p.dirty {
		p.publish()
	}
}

// judged notes what an attempt found and what counts now.
func (p *pod) judged(b *box, e lifecycle.ProbeDone, began time.Duration, calm bool) {
	now := p.probeState(e.Container, e.Type)
	if now.Hold { // the counter starts anew
		now.Run = now.Threshold
	}
	if e.Outcome == lifecycle.OutcomeFailure && now.Hold && now.Result == lifecycle.ResultFailure {
		p.w.measures.verdict(p, b, e.Type)
	}
	if p.w.timeline == nil {
		return
	}
	entry := Entry{
		At: Offset(began), Kind: KindProbe, Pod: p.object.Name, Container: e.Container, Instance: b.instance.Number,
		Probe: &Probed{Type: e.Type, Outcome: outcomeName(e.Outcome), Output: e.Output, Took: Offset(p.w.now - began), Times: 1,
			Run: now.Run, Threshold: now.Threshold, Result: now.Result},
	}
	p.w.timeline.probed(entry, calm, p.period(b, e.Type))
}

func (p *pod) cancel(b *box, t lifecycle.ProbeType) {
	i := slices.IndexFunc(b.flights, func(f flight) bool { return f.probe == t })
	if i < 0 {
		return
	}
	began := b.flights[i].began
	b.flights = slices.Delete(b.flights, i, i+1)
	if p.w.timeline == nil {
		return
	}
	p.w.timeline.probed(Entry{
		At: Offset(began), Kind: KindProbe, Pod: p.object.Name, Container: b.spec.Name, Instance: b.instance.Number,
		Probe: &Probed{Type: t, Outcome: "cancelled", Took: Offset(p.w.now - began), Times: 1, Result: p.probeState(b.spec.Name, t).Result},
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

func (p *pod) period(b *box, t lifecycle.ProbeType) time.Duration {
	for typ, probe := range probesOf(b.spec) {
		if typ == t {
			return seconds(probe.PeriodSeconds)
		}
	}
	return 0
}

func outcomeName(o lifecycle.Outcome) string {
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

// skipSuccesses passes over time in which nothing but successes happens: from now to the next thing that may
// be different. It says whether there was such time.
func (p *pod) skipSuccesses() bool {
	if p.skip == nil || p.w.noSkip || !p.state.Steady() || !p.w.still() {
		return false
	}
	until := min(p.queue.next(), p.w.queue.next(), p.w.end+1)
	p.state.EachProbe(func(s lifecycle.ProbeState) {
		if b := p.box(s.Container); b.alive && !s.Hold && s.Result == lifecycle.ResultSuccess {
			until = min(until, p.skip.succeedsUntil(s.Container, s.Type, p.w.since(s.Next)))
		}
	})
	if until <= p.deadline+time.Second {
		return false
	}
	p.state.Skip(p.w.time(until), func(container string, t lifecycle.ProbeType, first time.Time, runs int) {
		p.passed(container, t, p.w.since(first), runs)
	})
	p.setDeadline()
	return true
}

// passed notes successes that nobody was asked for.
func (p *pod) passed(container string, t lifecycle.ProbeType, began time.Duration, runs int) {
	b := p.box(container)
	p.skip.skipped(container, t, runs)
	p.w.measures.attempted(t, lifecycle.OutcomeSuccess, runs)
	if p.w.timeline == nil {
		return
	}
	now := p.probeState(container, t)
	p.w.timeline.probed(Entry{
		At: Offset(began), Kind: KindProbe, Pod: p.object.Name, Container: container, Instance: b.instance.Number,
		Probe: &Probed{Type: t, Outcome: "success", Times: runs, Run: now.Run - runs + 1, Threshold: now.Threshold, Result: now.Result},
	}, true, p.period(b, t))
}
