package simulate

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// Summary is what a person wants to know of a simulation first. Nil means that it did not happen.
type Summary struct {
	Workloads []string `json:"workloads"`
	Horizon   Offset   `json:"horizon"`
	Seed      uint64   `json:"seed"`
	// FirstReady is when the first Pod was Ready, AllReady when all of the workloads' first Pods
	// had been.
	FirstReady *Offset `json:"firstReady,omitempty"`
	AllReady   *Offset `json:"allReady,omitempty"`
	Pods       int     `json:"pods"`      // that the workloads want
	ReadyPods  int     `json:"readyPods"` // that were Ready at least once
	// Faults are those of the script, each time that one happened to a container.
	Faults []*Occurrence `json:"faults"`
	// Expected are the closed forms' times to detect, by container and fault.
	Expected []Expectation `json:"expected"`
	// Verdicts are the restarts that a probe decided, FalseRestarts how many of them were for
	// nothing, Pending how many were not carried out before the end. Restarts counts the processes
	// that were started again, RestartsByProbe those of them after a verdict; the others ended by
	// themselves.
	Restarts        int       `json:"restarts"`
	RestartsByProbe int       `json:"restartsByProbe"`
	Pending         int       `json:"pending,omitempty"`
	FalseRestarts   int       `json:"falseRestarts"`
	Verdicts        []Restart `json:"verdicts"`
	Backoffs        int       `json:"backoffs"` // starts that were refused by the back-off
	Loops           []Loop    `json:"loops"`
	Routes          []Route   `json:"routes"`
	// AnyPhase is what comes of it at other phases of the probes; nil if they were not simulated.
	AnyPhase *AnyPhase `json:"anyPhase,omitempty"`
	// Late are workloads whose rollout exceeded its progress deadline, and when.
	Late     []Late         `json:"late,omitempty"`
	Attempts map[string]int `json:"attempts"` // by probe type
}

// Route is what became of requests to a Service, or to the Pods if no Service selects them.
type Route struct {
	Service string `json:"service,omitempty"`
	// Unavailable is how long there was no endpoint after there had been one; if there never was
	// one, all the time. Longest is the longest gap.
	Unavailable Offset `json:"unavailable"`
	Longest     Offset `json:"longest"`
	// Unanswered is how much request time met a Pod that could not answer: at a rate of r requests
	// a second, r·Unanswered requests failed.
	Unanswered Offset `json:"unanswered"`
}

// Failed is how many requests failed at a rate of so many a second.
func (r Route) Failed(rate float64) float64 {
	return rate * (time.Duration(r.Unavailable) + time.Duration(r.Unanswered)).Seconds()
}

// Late is a rollout that took longer than progressDeadlineSeconds.
type Late struct {
	Workload string `json:"workload"`
	At       Offset `json:"at"`
}

// Expectation is how long a probe takes to notice a fault, by the closed form.
type Expectation struct {
	Workload  string              `json:"workload"` // as in "deployment/web"
	Container string              `json:"container"`
	Probe     lifecycle.ProbeType `json:"probe"`
	Fault     string              `json:"fault"`
	Span
}

// summarize sums a simulation up, and adds what the closed forms say.
func summarize(c *cluster, opts Options) Summary {
	s := sumUp(c, opts)
	for _, load := range c.workloads {
		s.addClosedForms(load.workload(), load.template(), c.script)
	}
	return s
}

func sumUp(c *cluster, opts Options) Summary {
	m := c.measures
	s := Summary{
		Horizon: Offset(opts.Horizon), Seed: opts.Seed, Faults: m.occurrences, Verdicts: m.verdicts, Backoffs: m.backoffs, Late: m.late,
		Attempts: map[string]int{},
	}
	for t, n := range m.attempts {
		s.Attempts[string(t)] = n
	}
	for _, v := range m.verdicts {
		if v.False {
			s.FalseRestarts++
		}
	}
	s.Restarts, s.RestartsByProbe, s.Pending = m.restarts, m.byProbe, len(m.verdicts)-m.byProbe
	s.readiness(c)
	for _, load := range c.workloads {
		s.Workloads = append(s.Workloads, load.title())
	}
	for _, r := range c.routes {
		route := Route{Service: r.name, Unavailable: Offset(r.unavailable), Longest: Offset(r.longest), Unanswered: Offset(r.lost * float64(time.Second))}
		if !r.hadTarget {
			route.Unavailable, route.Longest = s.Horizon, s.Horizon
		}
		s.Routes = append(s.Routes, route)
	}
	return s
}

// readiness fills in when Pods became Ready.
func (s *Summary) readiness(c *cluster) {
	for _, load := range c.workloads {
		s.Pods += load.replicas()
	}
	s.ReadyPods = len(c.measures.firsts)
	for i, f := range c.measures.firsts {
		at := Offset(f.at)
		if i == 0 {
			s.FirstReady = &at
		}
		if i == s.Pods-1 {
			s.AllReady = &at
		}
	}
}

// addClosedForms adds what the closed forms say about the containers of a Pod.
func (s *Summary) addClosedForms(owner script.Workload, pod *corev1.Pod, sc *script.Script) {
	for _, c := range lifecycle.Containers(&pod.Spec) {
		plainInit := slices.ContainsFunc(pod.Spec.InitContainers, func(i corev1.Container) bool { return i.Name == c.Name }) && !isSidecar(c)
		if plainInit {
			continue
		}
		at := startPhaseOf(&pod.Spec, c.Name, func(name string) script.Program { return sc.Program(owner, name) })
		loop := loopOf(c, sc.Program(owner, c.Name), pod.Spec.RestartPolicy, at)
		loop.Workload = owner.String()
		s.Loops = append(s.Loops, loop)
		for i := range sc.Faults {
			if f := &sc.Faults[i]; f.HappensIn(owner) {
				s.addExpectations(owner, c, f)
			}
		}
	}
}

// addExpectations adds how long the probes of a container take to notice a fault. Those that do not
// notice it are left out.
func (s *Summary) addExpectations(owner script.Workload, c *corev1.Container, f *script.Fault) {
	if f.Container != "" && f.Container != c.Name {
		return
	}
	for t, probe := range probesOf(c) {
		if t == lifecycle.Startup || !notices(f, c, t, probe) {
			continue
		}
		timing := closedFormOf(probe)
		e := Expectation{Workload: owner.String(), Container: c.Name, Probe: t, Fault: f.Label()}
		switch effect := f.Effect(); {
		case effect.Stalls || effect.Refuses && probe.GRPC != nil:
			e.Span = timing.DetectHang()
		case effect.Refuses || effect.Reply.Kind == script.ReplyStatus && (f.OfDependency() || noticesStart(probe, effect.Reply)):
			e.Span = timing.DetectFailing()
		default:
			continue
		}
		s.Expected = append(s.Expected, e)
	}
}
