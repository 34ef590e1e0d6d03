package simulated

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/probity-run/probity/internal/simulate"
	simscript "github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/test/differential/cluster"
	"github.com/probity-run/probity/test/differential/ledger"
	"github.com/probity-run/probity/test/differential/scenario"
	"github.com/probity-run/probity/test/differential/trace"
)

// System is what traces call the simulator.
const System = "Simulation"

// patience is how long the processes of a scenario may need to start, in virtual time.
const patience = 3 * time.Minute

// epoch is the instant of virtual time at which every scenario begins.
func epoch() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Play plays a scenario. The seed chooses the phases of its probes; equal seeds give equal traces.
// The error says what of the scenario has no translation, whatever the seed.
func Play(s scenario.Scenario, seed uint64) (trace.Trace, error) {
	p := &play{scenario: s, seed: seed, logs: map[string]*podLog{}, slices: map[string]*discoveryv1.EndpointSlice{}}
	t, err := p.run()
	if err != nil {
		err = fmt.Errorf("cannot simulate %s: %w", s.ID, err)
	}
	return t, err
}

// play is one scenario in the making.
type play struct {
	scenario scenario.Scenario
	seed     uint64
	requests []simulate.Request
	seen     []trace.Observation
	events   int                                   // of those
	slices   map[string]*discoveryv1.EndpointSlice // the newest of each Service
	logs     map[string]*podLog                    // by Pod
	err      error                                 // the first of a program
}

func (p *play) run() (trace.Trace, error) {
	objects, err := readManifest(p.scenario.Manifest)
	if err != nil {
		return trace.Trace{}, err
	}
	if p.requests, err = readSteps(p.scenario.Steps); err != nil {
		return trace.Trace{}, err
	}
	horizon := patience + p.scenario.Watched()
	result, err := simulate.Run(objects, &simscript.Script{}, simulate.Options{
		Horizon: horizon, Seed: p.seed, MaxRestartPeriod: cluster.MaxRestartPeriod * time.Second, Programs: p.programs, Client: p, EarlyProbes: true,
	})
	if err = cmp.Or(p.err, err); err != nil {
		return trace.Trace{}, err
	}
	if lost := result.Timeline.Lost(); lost > 0 {
		return trace.Trace{}, fmt.Errorf("the simulation is too long: %d entries of its timeline do not fit", lost)
	}
	for _, e := range result.Timeline.Entries() {
		if e.Kind == simulate.EntryProcess {
			p.logs[e.Pod].noteEntry(e)
		}
	}
	ledgers := map[string][]ledger.Line{}
	for pod, log := range p.logs {
		ledgers[pod] = log.finished(horizon)
	}
	end, err := p.end(ledgers)
	return trace.Gather(trace.Recorded{
		Scenario: p.scenario.ID, System: System, Period: p.scenario.Period, Observations: p.seen, Ledgers: ledgers, End: end, Player: playerPath, Image: cluster.Image,
	}), err
}

// programs makes the programs of a Pod.
func (p *play) programs(pod *corev1.Pod, now func() time.Duration) simulate.Programs {
	b := &podLog{}
	p.logs[pod.Name] = b
	return newPrograms(pod, b, now, func(err error) { p.err = cmp.Or(p.err, err) })
}

// end is when watching ends: so long after the last start that is waited for. Steps count from the
// first start, which therefore must be where the simulation begins.
func (p *play) end(ledgers map[string][]ledger.Line) (time.Time, error) {
	var starts []time.Time
	for _, lines := range ledgers {
		for _, l := range lines {
			if l.Kind == ledger.Start {
				starts = append(starts, l.Time())
			}
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	wanted := cmp.Or(p.scenario.Starts, 1)
	switch {
	case len(starts) < wanted:
		return time.Time{}, fmt.Errorf("only %d of %d processes have started within %v", len(starts), wanted, patience)
	case len(p.scenario.Steps) > 0 && !starts[0].Equal(epoch()):
		return time.Time{}, fmt.Errorf("the first process starts %v after the beginning, and steps count from then on", starts[0].Sub(epoch()))
	}
	return starts[wanted-1].Add(p.scenario.Watched()), nil
}
