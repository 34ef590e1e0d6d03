package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

// Options are what a simulation is given beside manifest and script.
type Options struct {
	// Horizon is how long to simulate. Default 10 min.
	Horizon time.Duration
	// Replicas replaces the number of replicas of every workload if it is positive.
	Replicas int
	// Seed chooses among the things that chance may bring; equal seeds bring equal things. Default
	// 1.
	Seed uint64
	// MaxRestartPeriod caps the back-off between restarts. Default 300 s.
	MaxRestartPeriod time.Duration
	// NoTimeline leaves the timeline out: the summary alone costs less.
	NoTimeline bool
	// Programs makes the programs of each Pod that is created, instead of those of the script; now is
	// the time of the simulation whenever it is called. Its one user is test/differential/simulated.
	Programs func(pod *corev1.Pod, now func() time.Duration) Programs
	// Client changes and watches objects from outside. Nil for nobody.
	Client Client
	// noSkip simulates every single success.
	noSkip bool
	// phase is added to the times of faults that happen once.
	phase time.Duration
}

// The defaults and limits of a simulation.
const (
	DefaultHorizon = 10 * time.Minute
)

func (o Options) withDefaults() Options {
	o.Horizon, o.Seed = cmp.Or(o.Horizon, DefaultHorizon), cmp.Or(o.Seed, 1)
	return o
}

// Result is one simulation.
type Result struct {
	Summary  Summary
	Timeline *Timeline
}

var errNothing = errors.New("no Pod, Deployment, ReplicaSet or StatefulSet is in it")

// Run simulates the workloads and Services of a manifest. The error is about input that cannot be
// simulated; what goes wrong in the simulation is its result.
func Run(objects []manifest.Object, sc *script.Script, opts Options) (*Result, error) {
	opts = opts.withDefaults()
	w, err := newWorld(objects, sc, opts)
	if err != nil {
		return nil, err
	}
	w.run()
	return &Result{Summary: summarize(w, opts), Timeline: w.timeline}, nil
}

func newWorld(objects []manifest.Object, sc *script.Script, opts Options) (*world, error) {
	if opts.Replicas > script.MaxReplicas {
		return nil, fmt.Errorf("%d replicas are too many to be simulated one by one: the most is %d; many runs (--runs) scale to any number",
			opts.Replicas, script.MaxReplicas)
	}
	w := emptyWorld(sc, opts)
	known := map[string]bool{}
	for _, o := range objects {
		switch r := o.Resource.(type) {
		case *corev1.Service:
			if len(r.Spec.Selector) > 0 && r.Spec.Type != corev1.ServiceTypeExternalName {
				w.routes = append(w.routes, serviceRoute(r, sc, opts.Seed))
			}
		default:
			load := newWorkload(r, opts.Replicas)
			if load == nil {
				continue
			}
			w.workloads = append(w.workloads, load)
			for _, c := range lifecycle.Containers(&load.template().Spec) {
				known[c.Name] = true
			}
		}
	}
	if len(w.workloads) == 0 {
		return nil, errNothing
	}
	w.chooseRoutes()
	w.expectRollouts()
	w.expectRequests()
	return w, sc.CheckContainers(known)
}

func emptyWorld(sc *script.Script, opts Options) *world {
	w := &world{
		script: sc, seed: opts.Seed, phase: opts.phase, end: opts.Horizon, base: epoch(), noSkip: opts.noSkip,
		programs: opts.Programs, client: opts.Client,
		options: lifecycle.Options{MaxRestartPeriod: opts.MaxRestartPeriod},
	}
	w.measures = newMeasures(w)
	if !opts.NoTimeline {
		w.timeline = newTimeline()
	}
	return w
}

// chooseRoutes drops Services that select nothing here. Without any, requests are imagined to go to
// all Pods.
func (w *world) chooseRoutes() {
	w.routes = slices.DeleteFunc(w.routes, func(r *route) bool {
		return !slices.ContainsFunc(w.workloads, func(l workload) bool { return r.selects(l.template()) })
	})
	if len(w.routes) == 0 {
		w.routes = []*route{w.imaginedRoute()}
	}
}

func (w *world) imaginedRoute() *route {
	return &route{delay: newChance(w.seed, "endpoints"), delays: w.script.EndpointDelay, empty: true}
}

// expectRollouts puts the rollouts of the script into the queue.
func (w *world) expectRollouts() {
	for i := range w.script.Faults {
		if f := &w.script.Faults[i]; f.Effect().RollsOut {
			w.expectRollout(newStrike(f, i, "", 0, w.seed, w.phase))
		}
	}
}

func (w *world) expectRollout(s *strike) {
	at, ok := s.next()
	if !ok || at.begin > w.end {
		return
	}
	s.over()
	w.later(at.begin, func() {
		w.note(KindFault, s.fault.Label())
		for _, load := range w.workloads {
			load.rollout(w)
		}
		w.expectRollout(s)
	})
}
