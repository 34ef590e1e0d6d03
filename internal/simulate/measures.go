package simulate

import (
	"slices"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/workload"
)

// Occurrence is one time that a fault happened to a container.
type Occurrence struct {
	Fault     string           `json:"fault"`
	Kind      script.FaultKind `json:"kind"`
	Workload  string           `json:"workload"` // as in "deployment/web"
	Pod       string           `json:"pod"`
	Container string           `json:"container"`
	At        Offset           `json:"at"`
	// Ended is when it was over, nil if it was not at the end of the simulation. Lasting reports
	// whether only a restart, or nothing, could end it.
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
	// RunningAgain is how long after the beginning the container ran again that the probe let be
	// killed; nil if it did not before the end.
	RunningAgain *Offset `json:"runningAgain,omitempty"`
	// LivenessNotBegun reports that the liveness probe, which would notice, was still waiting for
	// its initial delay or for the startup probe; LivenessBegan is how long after the beginning of
	// the fault it did begin, nil if the fault was over before that.
	LivenessNotBegun bool    `json:"livenessNotBegun,omitempty"`
	LivenessBegan    *Offset `json:"livenessBegan,omitempty"`
	// Missed reports that nothing ran that it could have happened to.
	Missed    bool `json:"missed,omitempty"`
	detection script.Detection
	byRestart bool // the container's liveness probe notices it
	wasReady  bool // when it began
	pod       *pod
}

// Restart is one restart of a container that a probe decided.
type Restart struct {
	Pod       string `json:"pod"`
	Container string `json:"container"`
	At        Offset `json:"at"` // of the decision
	// RunningAgain is when the next process was started; nil if that was not before the end.
	RunningAgain *Offset `json:"runningAgain,omitempty"`
	// By is the probe that decided it; empty if the process ended by itself.
	By lifecycle.ProbeType `json:"by,omitempty"`
	// False reports that a probe restarted a container that had nothing which a restart was needed
	// to cure: a stall that passes, an outage elsewhere, a slow start.
	False bool `json:"false,omitempty"`
	pod   *pod
	// the faults that lasted when it was decided, for the first time
	occurrences []*Occurrence
}

// firstReady is when a Pod became Ready for the first time.
type firstReady struct {
	at  time.Duration
	pod *pod
}

// measures are what is counted while a simulation runs.
type measures struct {
	cluster     *cluster
	firsts      []firstReady
	occurrences []*Occurrence
	verdicts    []Restart // that probes decided
	restarts    int
	byProbe     int // of the restarts
	attempts    map[lifecycle.ProbeType]int
	failures    map[lifecycle.ProbeType]int
	backoffs    int
	late        []Late
}

func newMeasures(c *cluster) *measures {
	return &measures{cluster: c, attempts: map[lifecycle.ProbeType]int{}, failures: map[lifecycle.ProbeType]int{}}
}

func (m *measures) attempted(t lifecycle.ProbeType, o lifecycle.ProbeOutcome, n int) {
	m.attempts[t] += n
	if o == lifecycle.OutcomeFailure {
		m.failures[t] += n
	}
}

// processStarted takes note of a new process.
func (m *measures) processStarted(c *container) {
	if c.instance.Number == 1 {
		return
	}
	m.restarts++
	if c.verdict == 0 {
		return
	}
	m.byProbe++
	v, now := &m.verdicts[c.verdict-1], Offset(m.cluster.now)
	c.verdict, v.RunningAgain = 0, &now
	for _, o := range v.occurrences {
		o.RunningAgain = new(now - o.At)
	}
}

// livenessAttempted takes note that the liveness probe of a container makes attempts now.
func (m *measures) livenessAttempted(p *pod, c *container, at time.Duration) {
	if c.livenessBegan {
		return
	}
	c.livenessBegan = true
	for _, o := range m.active(p, c.spec.Name) {
		if o.LivenessNotBegun && o.LivenessBegan == nil {
			o.LivenessBegan = new(Offset(at) - o.At)
		}
	}
}

func (m *measures) overdue(name string, at time.Duration) {
	m.late = append(m.late, Late{name, Offset(at)})
}

// ready takes note of a change of a Pod's Ready condition.
func (m *measures) ready(p *pod, ready bool) {
	if ready {
		if !slices.ContainsFunc(m.firsts, func(f firstReady) bool { return f.pod == p }) {
			m.firsts = append(m.firsts, firstReady{m.cluster.now, p})
		}
		return
	}
	if p.object.DeletionTimestamp != nil {
		return
	}
	for _, o := range m.active(p, "") {
		if o.wasReady && o.Drained == nil {
			o.Drained = new(Offset(m.cluster.now) - o.At)
			if !o.byRestart && o.Detected == nil {
				o.Detected = o.Drained
			}
		}
	}
}

// restartDecided takes note of a probe's decision to restart a container.
func (m *measures) restartDecided(p *pod, c *container, t lifecycle.ProbeType) {
	m.verdicts = append(m.verdicts, Restart{
		Pod: p.object.Name, Container: c.spec.Name, At: Offset(m.cluster.now), By: t, False: !p.lastingFault(c.spec.Name) && !p.neverStarts(c), pod: p,
	})
	c.verdict = len(m.verdicts)
	v := &m.verdicts[c.verdict-1]
	for _, o := range m.active(p, c.spec.Name) {
		if o.Restarted == nil {
			v.occurrences = append(v.occurrences, o)
			o.Restarted, o.By = new(Offset(m.cluster.now)-o.At), t
			if o.byRestart {
				o.Detected = o.Restarted
			}
		}
	}
}

// neverStarts reports that a container's program would not have answered before the end of the
// simulation.
func (p *pod) neverStarts(c *container) bool {
	return p.scripted != nil && p.scripted.programs[c.spec.Name].answersFrom > p.cluster.end
}

// active are the occurrences on a container, or on any if it is "", that are not over. Those are
// among the last ones.
func (m *measures) active(p *pod, container string) (found []*Occurrence) {
	if p.scripted == nil {
		return nil
	}
	for _, s := range p.scripted.faults {
		if s.active != nil && (container == "" || s.container == container) {
			found = append(found, s.active)
		}
	}
	return found
}

func (m *measures) faultBegan(p *pod, s *faultSchedule, w window) *Occurrence {
	o := m.occurrence(p, s)
	o.Lasting = w.end == script.Infinity
	m.occurrences = append(m.occurrences, o)
	return o
}

func (m *measures) faultEnded(s *faultSchedule) { s.active.Ended = new(Offset(m.cluster.now)) }

func (m *measures) faultMissed(p *pod, s *faultSchedule) {
	o := m.occurrence(p, s)
	o.Missed = true
	m.occurrences = append(m.occurrences, o)
}

func (m *measures) occurrence(p *pod, s *faultSchedule) *Occurrence {
	_, ready := workload.ReadySince(p.object)
	return &Occurrence{
		Fault: s.fault.Label(), Kind: s.fault.Kind, Workload: p.workload.String(), Pod: p.object.Name, Container: s.container, At: Offset(m.cluster.now),
		detection: s.detection, byRestart: s.byRestart, wasReady: ready, pod: p,
		LivenessNotBegun: s.byRestart && !p.container(s.container).livenessBegan,
	}
}
