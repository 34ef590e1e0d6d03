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
	"github.com/probity-run/probity/internal/program"
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
	// Programs makes the programs of each Pod that is created, instead of those of the script; now
	// is the time of the simulation whenever it is called. Its one user is
	// test/differential/simulated.
	Programs func(pod *corev1.Pod, now func() time.Duration) Programs
	// EarlyProbes lets first probes come as early as those of `probity run`, half a second to a
	// second after the initial delay, and not when a cluster's would (R8). It is there for
	// test/differential/simulated, whose recordings have offsets of their own, and for tests that
	// are not about phases.
	EarlyProbes bool
	// Client changes and watches objects from outside. Nil for nobody.
	Client Client
	// noSkip simulates every single success.
	noSkip bool
	// phase is where in their cycle the ticks of all Pods begin; nil leaves that to chance.
	phase *time.Duration
	// lateSyncs lets each Pod be synced again as late as a kubelet may (R18).
	lateSyncs bool
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

var errNothing = errors.New("no workload is in it: no Pod, Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController, Job or CronJob")

// Check finds programs that no node could start: their strings are too long once every reference
// is followed. The error is a [manifest.Errors], in the words of a run.
func Check(objects []manifest.Object) error {
	var errs manifest.Errors
	for _, o := range objects {
		if err := program.Check(o, program.Manifests(objects)); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// Run simulates the workloads and Services of a manifest. The error is about input that cannot be
// simulated; what goes wrong in the simulation is its result.
func Run(objects []manifest.Object, sc *script.Script, opts Options) (*Result, error) {
	opts = opts.withDefaults()
	c, err := newCluster(objects, sc, opts)
	if err != nil {
		return nil, err
	}
	c.run()
	return &Result{Summary: summarize(c, opts), Timeline: c.timeline}, nil
}

func newCluster(objects []manifest.Object, sc *script.Script, opts Options) (*cluster, error) {
	if opts.Replicas > script.MaxReplicas {
		return nil, fmt.Errorf("%d replicas are too many to be simulated one by one: the most is %d; many runs (--runs) scale to any number",
			opts.Replicas, script.MaxReplicas)
	}
	c := emptyCluster(sc, opts)
	for _, o := range objects {
		switch r := o.Resource.(type) {
		case *corev1.Service:
			if len(r.Spec.Selector) > 0 && r.Spec.Type != corev1.ServiceTypeExternalName {
				c.routes = append(c.routes, serviceRoute(r, sc, opts.Seed))
			}
		default:
			load := newController(r, opts.Replicas)
			if load == nil {
				continue
			}
			c.workloads = append(c.workloads, load)
		}
	}
	if len(c.workloads) == 0 {
		return nil, errNothing
	}
	if n := c.wanted(); n > script.MaxReplicas {
		return nil, fmt.Errorf("%d Pods are too many to be simulated one by one: the most is %d; --replicas plays another number of each workload",
			n, script.MaxReplicas)
	}
	c.chooseRoutes()
	c.expectRollouts()
	c.expectRequests()
	return c, sc.Check(workloadsOf(c.workloads...))
}

func workloadsOf(controllers ...controller) (all []script.Workload) {
	for _, load := range controllers {
		all = append(all, load.workload())
	}
	return all
}

// wanted is how many Pods the workloads want to have.
func (c *cluster) wanted() (pods int) {
	for _, load := range c.workloads {
		pods += load.replicas()
	}
	return pods
}

func emptyCluster(sc *script.Script, opts Options) *cluster {
	c := &cluster{
		script: sc, seed: opts.Seed, phase: phase{offset: opts.phase, early: opts.EarlyProbes, late: opts.lateSyncs}, end: opts.Horizon, noSkip: opts.noSkip,
		programs: opts.Programs, client: opts.Client,
		options: lifecycle.Options{MaxRestartPeriod: opts.MaxRestartPeriod},
	}
	c.measures = newMeasures(c)
	if !opts.NoTimeline {
		c.timeline = newTimeline()
	}
	return c
}

// chooseRoutes drops Services that select nothing here. Without any, requests are imagined to go to
// all Pods.
func (c *cluster) chooseRoutes() {
	c.routes = slices.DeleteFunc(c.routes, func(r *route) bool {
		return !slices.ContainsFunc(c.workloads, func(l controller) bool { return r.selects(l.template()) })
	})
	if len(c.routes) == 0 {
		c.routes = []*route{c.imaginedRoute()}
	}
}

func (c *cluster) imaginedRoute() *route {
	return &route{delay: newRandom(c.seed, "endpoints"), delays: c.script.EndpointDelay, empty: true, selected: map[*pod]bool{}}
}

// expectRollouts puts the rollouts of the script into the queue.
func (c *cluster) expectRollouts() {
	for i := range c.script.Faults {
		if f := &c.script.Faults[i]; f.Effect().RollsOut {
			c.expectRollout(newFaultSchedule(f, i, "", 0, c.seed))
		}
	}
}

func (c *cluster) expectRollout(s *faultSchedule) {
	at, ok := s.next()
	if !ok || at.begin > c.end {
		return
	}
	s.drop()
	c.schedule(at.begin, func() {
		c.note(EntryFault, s.fault.Label())
		for _, load := range c.workloads {
			if s.fault.HappensIn(load.workload()) {
				load.rollout(c)
			}
		}
		c.expectRollout(s)
	})
}
