package simulate

import (
	"slices"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// expectFaults puts the beginning of every fault into the queue.
func (p *pod) expectFaults() {
	for _, s := range p.script.strikes {
		p.expect(s)
	}
}

// expect puts the next beginning of a fault into the queue. Those that have passed are void: there
// was nothing that they could have happened to.
func (p *pod) expect(s *strike) {
	for {
		w, ok := s.next()
		switch {
		case !ok:
			return
		case w.begin < p.w.now && w.end <= p.w.now:
			s.over()
		case w.begin > p.w.end:
			return
		default:
			p.queue.put(item{at: max(w.begin, p.w.now), do: func() { p.begins(s, w) }})
			return
		}
	}
}

// begins lets a fault happen.
func (p *pod) begins(s *strike, w window) {
	b := p.box(s.container)
	if !b.alive && s.fault.CuredByRestart() {
		p.w.measures.missed(p, s)
		p.fault(s, "nothing runs that "+s.fault.Label()+" could happen to", nil)
		s.over()
		p.expect(s)
		return
	}
	s.active = p.w.measures.begins(p, s, w)
	if s.effect.EndsProcess {
		p.fault(s, s.fault.Label(), nil)
		p.ends(s)
		p.exit(b.spec.Name, b.id, 0, s.effect.ExitCode, 0)
		p.w.unrouted = true
		return
	}
	p.fault(s, s.fault.Label()+SuffixBegins, new(true))
	if w.end < script.Infinity {
		o := s.active
		p.queue.put(item{at: w.end, do: func() {
			if s.active == o {
				p.ends(s)
			}
		}})
	}
	p.w.unrouted = true
}

// ends lets a fault be over, and waits for its next beginning.
func (p *pod) ends(s *strike) {
	p.w.measures.ends(s)
	if !s.effect.EndsProcess {
		p.fault(s, s.fault.Label()+SuffixOver, new(false))
	}
	s.active = nil
	s.over()
	p.expect(s)
	p.w.unrouted = true
}

// cured ends the faults that a restart ends.
func (p *pod) cured(b *box) {
	if p.script == nil {
		return
	}
	p.script.programs[b.spec.Name].running = false
	for _, s := range p.script.strikes {
		if s.container == b.spec.Name && s.active != nil && s.fault.CuredByRestart() {
			p.ends(s)
		}
	}
	p.w.unrouted = true
}

// answering notes when a program that was started begins to answer.
func (p *pod) answering(b *box) {
	if p.script == nil {
		return
	}
	program := p.script.programs[b.spec.Name]
	program.running = true
	if program.up > p.w.now {
		number := b.instance.Number
		p.queue.put(item{at: program.up, do: func() {
			if b.instance.Number == number && b.alive {
				p.process(b, "begins to answer")
				p.w.unrouted = true
			}
		}})
	}
}

func (p *pod) fault(s *strike, text string, begins *bool) {
	if p.w.timeline != nil {
		p.note(Entry{Kind: KindFault, Container: s.container, Instance: p.box(s.container).instance.Number, Text: text, Begins: begins})
	}
}

// lastingFault says whether something is wrong with a container that only a restart, or nothing,
// ends.
func (p *pod) lastingFault(container string) bool {
	return p.script != nil && slices.ContainsFunc(p.script.strikes, func(s *strike) bool {
		return s.container == container && s.active != nil && s.fault.For == nil
	})
}

// expectKubelet puts the kubelet's restarts into the queue.
func (p *pod) expectKubelet() {
	for i := range p.w.script.Faults {
		f := &p.w.script.Faults[i]
		if f.Effect().RestartsKubelet && f.HappensTo(p.replica) {
			p.expectKubeletRestart(newStrike(f, i, "", p.replica, p.w.seed, p.w.phase))
		}
	}
}

func (p *pod) expectKubeletRestart(s *strike) {
	for {
		w, ok := s.next()
		if !ok || w.begin > p.w.end {
			return
		}
		s.over()
		if w.begin < p.w.now {
			continue
		}
		p.queue.put(item{at: w.begin, do: func() {
			if p.w.timeline != nil {
				p.note(Entry{Kind: KindFault, Text: s.fault.Label()})
			}
			p.on(lifecycle.KubeletRestarted{Jitter: func(_ string, _ lifecycle.ProbeType, period time.Duration) time.Duration {
				return time.Duration(p.kubelet.Float64() * float64(period))
			}})
			p.expectKubeletRestart(s)
		}})
		return
	}
}
