package simulate

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

// AnyPhase is what a simulation brings wherever in their cycle the ticks of the probes fall. In a
// cluster nobody chooses that (R8), so a promise holds if it does at every phase.
type AnyPhase struct {
	// Phases is how many were simulated.
	Phases int `json:"phases"`
	// Complete reports whether those are all that had to be looked at; otherwise the work would
	// have been too much, and the bounds may lie further apart.
	Complete bool `json:"complete"`
	// Ready is when all Pods were Ready, Detected and Drained what the assertions of that name are
	// about.
	Ready       Range     `json:"ready"`
	Detected    Range     `json:"detected"`
	Drained     Range     `json:"drained"`
	Restarts    Range     `json:"restarts"`
	Unavailable Range     `json:"unavailable"`
	figures     []figures // of each phase
}

// Range is the least and the most of a figure; nil is for what never happens.
type Range struct {
	Least *Number `json:"least"`
	Most  *Number `json:"most"`
}

// String gives "6.995 to 12".
func (r Range) String() string {
	bound := func(n *Number) string {
		if n == nil {
			return "never"
		}
		return fmt.Sprintf("%.6g", float64(*n))
	}
	return bound(r.Least) + " to " + bound(r.Most)
}

// How the phases are chosen: as many as a grid has, and more where the outcome changes between two
// of them, until they are closest to each other or until so much work was done.
const (
	gridPhases  = 64
	leastPhases = 4
	mostTurns   = 8 // of a probe's period that edges are repeated for
	closest     = 2 * time.Microsecond
	mostPhases  = 600
	mostSteps   = 400_000 // of simulations, about a second
)

// sweep simulates the same at other phases.
type sweep struct {
	build func(Options) (*cluster, error)
	opts  Options
	cycle time.Duration
	pods  int
	found []atPhase // in order
	steps int       // of the simulations so far
}

// atPhase is what one phase brings. offset is where in the cycle the containers start.
type atPhase struct {
	offset time.Duration
	figures
}

// Sweep simulates the same at every phase that may matter. All Pods have the same one, so that what
// adds up or coincides does so. The input is that of [Run], and has its errors.
func Sweep(objects []manifest.Object, sc *script.Script, opts Options) (*AnyPhase, error) {
	return sweepOf(func(opts Options) (*cluster, error) { return newCluster(objects, sc, opts) }, opts)
}

func sweepOf(build func(Options) (*cluster, error), opts Options) (*AnyPhase, error) {
	opts = opts.withDefaults()
	opts.NoTimeline, opts.EarlyProbes, opts.lateSyncs = true, false, true
	s := &sweep{build: build, opts: opts}
	c, err := build(opts)
	if err != nil {
		return nil, err
	}
	for _, load := range c.workloads {
		s.cycle = max(s.cycle, cycle(&load.template().Spec))
		s.pods += load.replicas()
	}
	s.cycle = min(s.cycle, s.widest(c))
	s.try(0)
	for _, offset := range s.grid(c) {
		if len(s.found) < leastPhases || s.affordable() {
			s.try(offset)
		}
	}
	s.refine()
	return s.result(), nil
}

// widest is as much of a cycle as is looked at: all of it, unless the periods have hardly a divisor
// in common. Then each probe meets all its phases, but not together with all those of the others.
func (s *sweep) widest(c *cluster) (widest time.Duration) {
	for _, load := range c.workloads {
		for _, spec := range lifecycle.Containers(&load.template().Spec) {
			for _, p := range probesOf(spec) {
				widest = max(widest, 4*seconds(p.PeriodSeconds))
			}
		}
	}
	return max(widest, time.Second)
}

func (s *sweep) affordable() bool { return len(s.found) < mostPhases && s.steps < mostSteps }

// grid are the phases to begin with. An even grid would miss what happens in a narrow span of
// phases only; so there is a phase on both sides of each at which a tick meets a moment that
// matters, and one between each two of those.
func (s *sweep) grid(c *cluster) (offsets []time.Duration) {
	for i := range uint8(gridPhases) { // the first few are spread over the whole cycle too
		at := bits.Reverse8(i) / (math.MaxUint8/gridPhases + 1)
		offsets = append(offsets, s.cycle*time.Duration(2*int(at)+1)/(2*gridPhases))
	}
	edges := s.edges(c)
	for i, edge := range edges {
		offsets = append(offsets, edge, (edge+s.cycle-closest)%s.cycle, (edge+closest)%s.cycle)
		if i > 0 {
			offsets = append(offsets, (edges[i-1]+edge)/2)
		}
	}
	return offsets
}

// edges are the phases at which a tick of a probe meets a moment that matters to it.
func (s *sweep) edges(c *cluster) (edges []time.Duration) {
	for _, load := range c.workloads {
		pod := load.template()
		programs := newScripted(c, load.workload(), pod, 0)
		for _, spec := range lifecycle.Containers(&pod.Spec) {
			for _, p := range probesOf(spec) {
				period := seconds(p.PeriodSeconds)
				for _, moment := range programs.moments(spec, p) {
					first := (period - moment%period) % period
					for i := range min(s.cycle/period, mostTurns) {
						edges = append(edges, first+i*period)
					}
				}
			}
		}
	}
	slices.Sort(edges)
	return slices.Compact(edges)
}

// moments are when a tick of a probe leads to something else than one a little earlier does: the
// initial delay, the end of the start-up, the beginning and the end of faults, each also by as much
// earlier as an attempt takes, with or without an answer.
func (s *scripted) moments(c *corev1.Container, p *corev1.Probe) (moments []time.Duration) {
	program := s.programs[c.Name]
	timeout, latency := seconds(p.TimeoutSeconds), program.Latency.Quantile(0.5)
	add := func(at time.Duration) {
		for _, m := range []time.Duration{at, at - latency, at - timeout, at + latency - timeout} {
			if m >= 0 && m < s.end {
				moments = append(moments, m)
			}
		}
	}
	moments = append(moments, seconds(p.InitialDelaySeconds))
	if program.Startup.IsFixed() {
		add(program.Startup.A)
	}
	for _, f := range s.faults {
		if f.container != c.Name || f.fault.Every != nil {
			continue
		}
		if w, ok := f.next(); ok {
			add(w.begin)
			add(w.end)
		}
	}
	return moments
}

// refine looks at the phases between two that differ, until both are as good as the same.
func (s *sweep) refine() {
	for i := 0; i+1 < len(s.found); {
		a, b := s.found[i], s.found[i+1]
		if b.offset-a.offset <= closest || !a.jumps(b.figures, s.slope(b.offset-a.offset, a.restarts)) || !s.affordable() {
			i++
			continue
		}
		s.try((a.offset + b.offset) / 2)
	}
}

// slope is by how much a time may differ between two phases without a jump: one Pod may wait for
// the other, one restart follow another, and each adds what the phase does.
func (s *sweep) slope(apart time.Duration, restarts int) time.Duration {
	return 2*time.Duration(s.pods+restarts)*apart + time.Millisecond
}

// try simulates one phase, unless it was simulated before.
func (s *sweep) try(offset time.Duration) {
	i, known := slices.BinarySearchFunc(s.found, offset, func(p atPhase, at time.Duration) int { return cmp.Compare(p.offset, at) })
	if known {
		return
	}
	opts := s.opts
	opts.phase = &offset
	c, err := s.build(opts)
	if err != nil {
		return // it was none the first time, and the input is the same
	}
	c.run()
	s.steps += c.steps
	summary := sumUp(c, opts)
	s.found = slices.Insert(s.found, i, atPhase{offset, summary.figures()})
}

func (s *sweep) result() *AnyPhase {
	a := &AnyPhase{Phases: len(s.found), Complete: s.affordable()}
	for _, p := range s.found {
		a.figures = append(a.figures, p.figures)
	}
	a.Ready, a.Detected, a.Drained = a.rangeOf("ready"), a.rangeOf("detected"), a.rangeOf("drained")
	a.Restarts, a.Unavailable = a.rangeOf("restarts"), a.rangeOf("unavailable")
	return a
}

func (a *AnyPhase) rangeOf(name string) (r Range) {
	least, most := math.Inf(1), math.Inf(-1)
	for _, f := range a.figures {
		q := f.of(name, 1)
		if q.never {
			q.value = math.Inf(1)
		}
		least, most = min(least, q.value), max(most, q.value)
	}
	if !math.IsInf(least, 0) {
		r.Least = new(Number(least))
	}
	if !math.IsInf(most, 0) {
		r.Most = new(Number(most))
	}
	return r
}
