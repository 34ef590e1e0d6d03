package simulate

import (
	"slices"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// Occurrence is one time that a fault happened to a container.
type Occurrence struct {
	Fault     string           `json:"fault"`
	Kind      script.FaultKind `json:"kind"`
	Pod       string           `json:"pod"`
	Container string           `json:"container"`
	At        Offset           `json:"at"`
	// Ended is when it was over, nil if it was not at the end of the simulation. Lasting says that
	// only a restart, or nothing, could end it.
	Ended   *Offset `json:"ended,omitempty"`
	Lasting bool    `json:"lasting"`
	// Restarted is how long after the beginning a probe decided to restart the container, and By
	// which one; nil if none did.
	Restarted *Offset             `json:"restarted,omitempty"`
	By        lifecycle.ProbeType `json:"by,omitempty"`
	// Drained is how long after the beginning a Pod that was Ready was no longer; nil if that did
	// not happen.
	Drained *Offset `json:"drained,omitempty"`
	// Detected is the first of both that a probe of the container could do: the restart if it has a
	// liveness probe that notices, else the drain.
	Detected *Offset `json:"detected,omitempty"`
	// Missed says that nothing ran that it could have happened to.
	Missed    bool `json:"missed,omitempty"`
	byRestart bool
	detection script.Detection
	wasReady  bool
	pod       *pod
}

// Restart is one restart of a container.
type Restart struct {
	Pod       string `json:"pod"`
	Container string `json:"container"`
	At        Offset `json:"at"`
	// By is the probe that decided it; empty if the process ended by itself.
	By lifecycle.ProbeType `json:"by,omitempty"`
	// False says that a probe restarted a container that had nothing which a restart was needed to
	// cure: a stall that passes, an outage elsewhere, a slow start.
	False bool `json:"false,omitempty"`
	pod   *pod
}

// first is when a Pod became Ready for the first time.
type first struct {
	at  time.Duration
	pod *pod
}

// measures are what is counted while a simulation runs.
type measures struct {
	w           *world
	firsts      []first
	occurrences []*Occurrence
	verdicts    []Restart
	restarts    int
	attempts    map[lifecycle.ProbeType]int
	failures    map[lifecycle.ProbeType]int
	backoffs    int
	late        []string // workloads that exceeded their progress deadline
	lateAt      []time.Duration
}

func newMeasures(w *world) *measures {
	return &measures{w: w, attempts: map[lifecycle.ProbeType]int{}, failures: map[lifecycle.ProbeType]int{}}
}

func (m *measures) attempted(t lifecycle.ProbeType, o lifecycle.Outcome, n int) {
	m.attempts[t] += n
	if o == lifecycle.OutcomeFailure {
		m.failures[t] += n
	}
}

// born takes note of a new process.
func (m *measures) born(b *box) {
	if b.instance.Number > 1 {
		m.restarts++
	}
}

func (m *measures) overdue(workload string, at time.Duration) {
	m.late, m.lateAt = append(m.late, workload), append(m.lateAt, at)
}

// ready takes note of a change of a Pod's Ready condition.
func (m *measures) ready(p *pod, ready bool) {
	if ready {
		if !slices.ContainsFunc(m.firsts, func(f first) bool { return f.pod == p }) {
			m.firsts = append(m.firsts, first{m.w.now, p})
		}
		return
	}
	if p.object.DeletionTimestamp != nil {
		return
	}
	for _, o := range m.active(p, "") {
		if o.wasReady && o.Drained == nil {
			o.Drained = new(Offset(m.w.now) - o.At)
			if !o.byRestart && o.Detected == nil {
				o.Detected = o.Drained
			}
		}
	}
}

// verdict takes note of a probe's decision to restart a container.
func (m *measures) verdict(p *pod, b *box, t lifecycle.ProbeType) {
	m.verdicts = append(m.verdicts, Restart{
		Pod: p.object.Name, Container: b.spec.Name, At: Offset(m.w.now), By: t, False: !p.lastingFault(b.spec.Name) && !p.neverStarts(b), pod: p,
	})
	for _, o := range m.active(p, b.spec.Name) {
		if o.Restarted == nil {
			o.Restarted, o.By = new(Offset(m.w.now)-o.At), t
			if o.byRestart {
				o.Detected = o.Restarted
			}
		}
	}
}

// neverStarts says that a container's program would not have answered before the end of the
// simulation.
func (p *pod) neverStarts(b *box) bool {
	return p.script != nil && p.script.programs[b.spec.Name].up > p.w.end
}

// active are the occurrences on a container, or on any if it is "", that are not over. Those are
// among the last ones.
func (m *measures) active(p *pod, container string) (found []*Occurrence) {
	if p.script == nil {
		return nil
	}
	for _, s := range p.script.strikes {
		if s.active != nil && (container == "" || s.container == container) {
			found = append(found, s.active)
		}
	}
	return found
}

func (m *measures) begins(p *pod, s *strike, w window) *Occurrence {
	o := m.occurrence(p, s)
	o.Lasting = w.end == script.Infinity
	m.occurrences = append(m.occurrences, o)
	return o
}

func (m *measures) ends(s *strike) { s.active.Ended = new(Offset(m.w.now)) }

func (m *measures) missed(p *pod, s *strike) {
	o := m.occurrence(p, s)
	o.Missed = true
	m.occurrences = append(m.occurrences, o)
}

func (m *measures) occurrence(p *pod, s *strike) *Occurrence {
	_, ready := lifecycle.ReadySince(p.object)
	o := &Occurrence{
		Fault: s.fault.Label(), Kind: s.fault.Kind, detection: s.fault.Kind.Detection(), Pod: p.object.Name, Container: s.container, At: Offset(m.w.now), wasReady: ready, pod: p,
	}
	if probe := p.box(s.container).spec.LivenessProbe; probe != nil {
		o.byRestart = notices(s.fault, p.box(s.container).spec, lifecycle.Liveness, probe)
	}
	return o
}
