package simulate

import (
	"slices"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// expectFaults puts the beginning of every fault into the queue.
func (p *pod) expectFaults() {
	for _, s := range p.scripted.faults {
		p.expectFault(s)
	}
}

// expectFault puts the next beginning of a fault into the queue. Those that have passed are left
// out: there was nothing that they could have happened to.
func (p *pod) expectFault(s *faultSchedule) {
	for {
		w, ok := s.next()
		switch {
		case !ok:
			return
		case w.begin < p.cluster.now && w.end <= p.cluster.now:
			s.drop()
		case w.begin > p.cluster.end:
			return
		default:
			p.queue.put(item{at: max(w.begin, p.cluster.now), do: func() { p.beginFault(s, w) }})
			return
		}
	}
}

// beginFault lets a fault happen.
func (p *pod) beginFault(s *faultSchedule, w window) {
	c := p.container(s.container)
	if !c.running && s.cured {
		p.cluster.measures.faultMissed(p, s)
		p.noteFault(s, "nothing runs that "+s.fault.Label()+" could happen to", nil)
		s.drop()
		p.expectFault(s)
		return
	}
	s.active = p.cluster.measures.faultBegan(p, s, w)
	if s.effect.EndsProcess {
		p.noteFault(s, s.fault.Label(), nil)
		p.endFault(s)
		p.exit(c.spec.Name, c.id, 0, s.effect.ExitCode, 0)
		p.answersDue()
		return
	}
	p.noteFault(s, s.fault.Label()+SuffixBegins, new(true))
	if w.end < script.Infinity {
		o := s.active
		p.queue.put(item{at: w.end, do: func() {
			if s.active == o {
				p.endFault(s)
			}
		}})
	}
	p.answersDue()
}

// endFault lets a fault be over, and waits for its next beginning.
func (p *pod) endFault(s *faultSchedule) {
	p.cluster.measures.faultEnded(s)
	if !s.effect.EndsProcess {
		p.noteFault(s, s.fault.Label()+SuffixOver, new(false))
	}
	s.active = nil
	s.drop()
	p.expectFault(s)
	p.answersDue()
}

// endCuredFaults ends the faults that a restart ends.
func (p *pod) endCuredFaults(c *container) {
	if p.scripted == nil {
		return
	}
	p.scripted.programs[c.spec.Name].running = false
	for _, s := range p.scripted.faults {
		if s.container == c.spec.Name && s.active != nil && s.cured {
			p.endFault(s)
		}
	}
	p.answersDue()
}

// expectAnswers notes when a program that was started begins to answer.
func (p *pod) expectAnswers(c *container) {
	if p.scripted == nil {
		return
	}
	program := p.scripted.programs[c.spec.Name]
	program.running = true
	p.answersChange()
	if program.answersFrom > p.cluster.now {
		number := c.instance.Number
		p.queue.put(item{at: program.answersFrom, do: func() {
			if c.instance.Number == number && c.running {
				p.noteProcess(c, "begins to answer")
				p.answersDue()
			}
		}})
	}
}

// answersDue has the routes ask again at once.
func (p *pod) answersDue() {
	p.answersChange()
	p.cluster.answersDue = true
}

func (p *pod) noteFault(s *faultSchedule, text string, begins *bool) {
	if p.cluster.timeline != nil {
		p.note(Entry{Kind: EntryFault, Container: s.container, Instance: p.container(s.container).instance.Number, Text: text, Begins: begins})
	}
}

// lastingFault reports whether something is wrong with a container that only a restart, or nothing,
// ends.
func (p *pod) lastingFault(container string) bool {
	return p.scripted != nil && slices.ContainsFunc(p.scripted.faults, func(s *faultSchedule) bool {
		return s.container == container && s.active != nil && s.fault.For == nil
	})
}

// expectKubelet puts the kubelet's restarts into the queue.
func (p *pod) expectKubelet() {
	for i := range p.cluster.script.Faults {
		f := &p.cluster.script.Faults[i]
		if f.Effect().RestartsKubelet && f.HappensIn(p.workload) && f.HappensTo(p.replica) {
			p.expectKubeletRestart(newFaultSchedule(f, i, "", p.replica, p.cluster.seed))
		}
	}
}

func (p *pod) expectKubeletRestart(s *faultSchedule) {
	for {
		w, ok := s.next()
		if !ok || w.begin > p.cluster.end {
			return
		}
		s.drop()
		if w.begin < p.cluster.now {
			continue
		}
		p.queue.put(item{at: w.begin, do: func() {
			if p.cluster.timeline != nil {
				p.note(Entry{Kind: EntryFault, Text: s.fault.Label()})
			}
			p.on(lifecycle.KubeletRestarted{Jitter: func(_ string, _ lifecycle.ProbeType, period time.Duration) time.Duration {
				return time.Duration(p.kubelet.Float64() * float64(period))
			}})
			p.expectKubeletRestart(s)
		}})
		return
	}
}
