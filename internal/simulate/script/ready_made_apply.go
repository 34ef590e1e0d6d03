package script

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
)

var (
	errNoAt    = errors.New("it has no time")
	errNoValue = errors.New("it has no value")
	errNoFor   = errors.New("it has no length")
)

// once adds a fault that happens at a time.
func (s *Script) once(f Fault, a arguments) error {
	if a.at == nil {
		return errNoAt
	}
	f.At, f.Container = new(Fixed(*a.at)), a.container
	if a.probes != nil {
		f.Probes = a.probes
	}
	if a.length != nil {
		f.For = new(Fixed(*a.length))
	}
	s.Faults = append(s.Faults, f)
	return nil
}

// eachProgram changes the programs of the containers that are meant.
func (s *Script) eachProgram(a arguments, change func(*Program)) {
	if a.workload != "" {
		s.change(a.workload+":"+cmp.Or(a.container, anyContainer), s.program(a.container), change)
		return
	}
	name := a.container
	if name == "" {
		name = anyContainer
		for _, known := range slices.Sorted(maps.Keys(s.Programs)) {
			p := s.Programs[known]
			change(&p)
			s.Programs[known] = p
		}
		if _, ok := s.Programs[anyContainer]; ok {
			return
		}
	}
	s.change(name, s.program(name), change)
}

// change changes the program of that name, or one like the other if there is none yet.
func (s *Script) change(name string, otherwise Program, change func(*Program)) {
	p, ok := s.Programs[name]
	if !ok {
		p = otherwise
	}
	change(&p)
	if s.Programs == nil {
		s.Programs = map[string]Program{}
	}
	s.Programs[name] = p
}

func slowStart(s *Script, a arguments) error {
	if a.factor > 0 {
		return slowerStart(s, a)
	}
	if a.first == nil {
		return errNoValue
	}
	s.eachProgram(a, func(p *Program) { p.Startup = Fixed(*a.first) })
	return nil
}

// slowerStart makes starts slower that the script knows.
func slowerStart(s *Script, a arguments) error {
	known := false
	s.eachProgram(a, func(p *Program) {
		p.Startup = p.Startup.times(a.factor)
		known = known || !p.Startup.IsZero()
	})
	if !known {
		return errors.New("no script says how long the start takes by itself")
	}
	return nil
}

func crashLoop(s *Script, a arguments) error {
	if a.first == nil {
		return errNoValue
	}
	s.eachProgram(a, func(p *Program) { p.Exit = &Exit{After: Fixed(*a.first), Code: 1} })
	return nil
}

func slow(s *Script, a arguments) error {
	if a.first == nil || *a.first == 0 {
		return errNoValue
	}
	f := Fault{Kind: FaultSlow, Latency: *a.first, Container: a.container, Outlasts: true}
	if a.second != nil {
		f.Ramp = *a.second
	}
	s.Faults = append(s.Faults, f)
	return nil
}

func flap(s *Script, a arguments) error {
	bad, every := 30*time.Second, time.Minute
	if a.first != nil {
		if a.second == nil {
			return errNoFor
		}
		bad, every = *a.first, *a.second
	}
	if every < time.Second {
		return errNoFor
	}
	probes := a.probes
	if probes == nil {
		probes = []lifecycle.ProbeType{lifecycle.Readiness}
	}
	s.Faults = append(s.Faults, Fault{
		Kind: FaultStatus, Reply: Reply{Kind: ReplyStatus, Code: 503}, Every: new(Fixed(every)), For: new(Fixed(bad)), Probes: probes, Container: a.container,
	})
	return nil
}

func gcStall(s *Script, a arguments) error {
	if a.first == nil || a.second == nil || *a.first == 0 || *a.second < time.Second {
		return errNoValue
	}
	every, lasts := Distribution{Shape: Exponential, A: *a.second}, Distribution{Shape: Exponential, A: *a.first}
	s.Faults = append(s.Faults, Fault{Kind: FaultHang, Every: &every, For: &lasts, Container: a.container})
	return nil
}
