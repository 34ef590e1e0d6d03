package simulate

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

// The defaults and limits of a Monte Carlo simulation.
const (
	DefaultManyHorizon = 30 * script.Day
	MaxRuns            = 1_000_000
)

// ManyOptions are what a Monte Carlo simulation is given beside manifest and script.
type ManyOptions struct {
	// Runs is how many Pods are simulated, each on its own.
	Runs int
	// Horizon is how long each of them is. Default 30 days.
	Horizon time.Duration
	// Replicas is the size of the fleet that figures are scaled to. Default: those of the workload.
	Replicas int
	// Seed is that of the first run; each run has its own. Default 1.
	Seed uint64
	// MaxRestartPeriod caps the back-off between restarts. Default 300 s.
	MaxRestartPeriod time.Duration
	// Workers is how many runs are simulated at the same time. Default GOMAXPROCS. The result does
	// not depend on it.
	Workers int
}

// sample is what one run says.
type sample struct {
	ready         time.Duration // script.Infinity if it was not
	detect        []time.Duration
	drain         []time.Duration
	undetected    int
	verdicts      int
	falseRestarts int
	restarts      int
	unavailable   time.Duration
	attempts      int // of liveness
	failures      int
}

// Many is the outcome of a Monte Carlo simulation of one workload's Pods.
type Many struct {
	Workload string `json:"workload"`
	Runs     int    `json:"runs"`
	Horizon  Offset `json:"horizon"`
	Replicas int    `json:"replicas"`
	Seed     uint64 `json:"seed"`
	// Ready is the time to the first Ready of the Pods that were, NeverReady how many were not.
	Ready      Quantiles `json:"ready"`
	NeverReady int       `json:"neverReady"`
	// Detect is the time from a fault that only a restart ends to the decision, Drain the time
	// until the Pod was out of rotation.
	Detect     Quantiles `json:"detect"`
	Drain      Quantiles `json:"drain"`
	Undetected int       `json:"undetected"`
	// Restarts and Unavailable are per Pod and horizon.
	Restarts    Counts    `json:"restarts"`
	Unavailable Quantiles `json:"unavailable"`
	// FalseRestarts is how many restarts for nothing a fleet of Replicas sees in 30 days.
	FalseRestarts Number `json:"falseRestartsPerFleetMonth"`
	Loops         []Loop `json:"loops"`
	// Stalls compares stalls as they come with failures that are independent of each other, for
	// each container with a liveness probe and random stalls.
	Stalls []Stalls `json:"stalls,omitempty"`
	// AnyPhase is what comes of one Pod at any phase of its probes, since the runs need not meet
	// the worst one; nil if that was not simulated, see [SweepMany].
	AnyPhase *AnyPhase `json:"anyPhase,omitempty"`
}

// Stalls is how often a fleet is restarted for nothing in 30 days because of random stalls,
// simulated and by the closed forms.
type Stalls struct {
	Container string `json:"container"`
	Fault     string `json:"fault"`
	Share     Number `json:"share"` // of liveness probes that fail
	// Correlated is stalls as they come, Independent the same share of failures one by one.
	Correlated  Compared `json:"correlated"`
	Independent Compared `json:"independent"`
	// Penalty is by how much the independent formula is too low.
	Penalty Number `json:"penalty"`
	// Together is the probability that one stall makes all replicas restart at once, if they share
	// its cause, and if not.
	TogetherShared, TogetherIndependent Number
	// Neighbours says what the closed form of Correlated leaves out.
	Neighbours Neighbours `json:"neighbours"`
}

// Neighbours are stalls that are so near to each other that their failures add up, of which a
// closed form knows nothing that takes each stall by itself.
type Neighbours struct {
	// Within is the time in which failures of two stalls can be a row: failureThreshold periods.
	// Share of all stalls have the next one begin within it.
	Within Offset `json:"within"`
	Share  Number `json:"share"`
	Caveat string `json:"caveat"`
}

// Compared is a simulated figure and that of the closed form.
type Compared struct {
	Simulated Number `json:"simulated"`
	Closed    Number `json:"closed"`
}

// RunMany simulates many Pods of the first workload of a manifest. The error is about input that
// cannot be simulated.
func RunMany(objects []manifest.Object, sc *script.Script, opts ManyOptions) (*Many, error) {
	opts.Horizon, opts.Seed, opts.Workers = cmp.Or(opts.Horizon, DefaultManyHorizon), cmp.Or(opts.Seed, 1), cmp.Or(opts.Workers, runtime.GOMAXPROCS(0))
	load, err := onlyController(objects, sc)
	if err != nil {
		return nil, err
	}
	opts.Replicas = cmp.Or(opts.Replicas, load.replicas())
	pod, owner := load.template(), load.workload()
	samples := runAll(owner, pod, sc, opts)
	m := &Many{Workload: load.title(), Runs: opts.Runs, Horizon: Offset(opts.Horizon), Replicas: opts.Replicas, Seed: opts.Seed}
	m.add(samples)
	s := Summary{}
	s.addClosedForms(owner, pod, sc)
	m.Loops = s.Loops
	m.compareStalls(owner, pod, sc, samples, opts)
	return m, nil
}

// SweepMany simulates one of the Pods of RunMany at every phase that may matter.
func SweepMany(objects []manifest.Object, sc *script.Script, opts ManyOptions) (*AnyPhase, error) {
	load, err := onlyController(objects, sc)
	if err != nil {
		return nil, err
	}
	pod, owner := load.template(), load.workload()
	return sweepOf(func(o Options) (*cluster, error) { return clusterOfOne(owner, pod, sc, o), nil },
		Options{Horizon: cmp.Or(opts.Horizon, DefaultManyHorizon), Seed: opts.Seed, MaxRestartPeriod: opts.MaxRestartPeriod})
}

func onlyController(objects []manifest.Object, sc *script.Script) (controller, error) {
	var found controller
	for _, o := range objects {
		load := newController(o.Resource, 0)
		if load == nil {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("a Monte Carlo simulation is about one workload, and there are %s and %s: leave one out", found.title(), load.title())
		}
		found = load
	}
	if found == nil {
		return nil, errNothing
	}
	return found, sc.Check(workloadsOf(found))
}

// runAll simulates the runs. Workers take them one by one; each has a seed of its own, so that who
// takes which does not matter.
func runAll(owner script.Workload, pod *corev1.Pod, sc *script.Script, opts ManyOptions) []sample {
	samples := make([]sample, opts.Runs)
	var taken atomic.Int64
	var working sync.WaitGroup
	for range min(opts.Workers, opts.Runs) {
		working.Go(func() {
			for {
				i := int(taken.Add(1)) - 1
				if i >= opts.Runs {
					return
				}
				samples[i] = runOne(owner, pod, sc, opts, i)
			}
		})
	}
	working.Wait()
	return samples
}

// onePod is one Pod of a workload, by itself.
type onePod struct {
	barePods
	owner script.Workload
}

func (s *onePod) workload() script.Workload { return s.owner }

func (s *onePod) sync(c *cluster) {
	if !s.created {
		s.created = true
		c.createPod(s.owner, s.template(), 0)
	}
}

func runOne(owner script.Workload, pod *corev1.Pod, sc *script.Script, opts ManyOptions, run int) sample {
	seed := opts.Seed*0x9e3779b97f4a7c15 + uint64(run)
	// The golden ratio spreads the phases evenly, however many runs there are.
	_, share := math.Modf(0.5 + float64(run)*(math.Phi-1))
	phase := part(share, &pod.Spec)
	c := clusterOfOne(owner, pod, sc, Options{Horizon: opts.Horizon, Seed: seed, MaxRestartPeriod: opts.MaxRestartPeriod, NoTimeline: true, phase: &phase})
	c.run()
	return c.sample()
}

// clusterOfOne has one Pod of a workload, and nobody else.
func clusterOfOne(owner script.Workload, pod *corev1.Pod, sc *script.Script, opts Options) *cluster {
	c := emptyCluster(sc, opts)
	c.workloads = []controller{&onePod{barePods{object: pod, size: 1}, owner}}
	c.routes = []*route{c.imaginedRoute()}
	return c
}

// sample sums a run up.
func (c *cluster) sample() sample {
	m := c.measures
	s := sample{ready: script.Infinity, verdicts: len(m.verdicts), restarts: m.restarts, unavailable: c.routes[0].unavailable}
	s.attempts, s.failures = m.attempts[lifecycle.Liveness], m.failures[lifecycle.Liveness]
	if len(m.firsts) > 0 {
		s.ready = m.firsts[0].at
	} else {
		s.unavailable = c.end
	}
	for _, v := range m.verdicts {
		if v.False {
			s.falseRestarts++
		}
	}
	for _, o := range m.occurrences {
		if !o.Lasting || o.Missed || o.detection == script.DetectionOptional {
			continue
		}
		if o.Drained != nil {
			s.drain = append(s.drain, time.Duration(*o.Drained))
		}
		if o.Detected != nil {
			s.detect = append(s.detect, time.Duration(*o.Detected))
		} else {
			s.undetected++
		}
	}
	return s
}

// add sums the runs up.
func (m *Many) add(samples []sample) {
	var ready, detect, drain, unavailable []time.Duration
	var restarts []int
	falseRestarts := 0
	for _, s := range samples {
		if s.ready == script.Infinity {
			m.NeverReady++
		} else {
			ready = append(ready, s.ready)
		}
		detect, drain = append(detect, s.detect...), append(drain, s.drain...)
		unavailable, restarts = append(unavailable, s.unavailable), append(restarts, s.restarts)
		m.Undetected += s.undetected
		falseRestarts += s.falseRestarts
	}
	m.Ready, m.Detect, m.Drain, m.Unavailable = quantiles(ready), quantiles(detect), quantiles(drain), quantiles(unavailable)
	m.Restarts = counts(restarts)
	m.FalseRestarts = m.perFleetMonth(falseRestarts)
}

// perFleetMonth scales a number of things that happened in all runs.
func (m *Many) perFleetMonth(n int) Number {
	simulated := float64(m.Runs) * float64(m.Horizon) / float64(30*script.Day)
	return Number(float64(n) / simulated * float64(m.Replicas))
}
