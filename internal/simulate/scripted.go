package simulate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// scripted are the programs of one Pod that a [script.Script] describes.
type scripted struct {
	end      time.Duration // of the simulation
	programs map[string]*scriptedProgram
	faults   []*faultSchedule
}

// scriptedProgram is the state of one container's program.
type scriptedProgram struct {
	script.Program
	spec        *corev1.Container
	random      random
	running     bool
	answersFrom time.Duration // when the current instance begins to answer
	probes      map[lifecycle.ProbeType]*scriptedProbe
	stalls      []*faultSchedule // that stop the whole process
}

// scriptedProbe is what one probe of a container meets.
type scriptedProbe struct {
	handler  Handler
	connects bool // a connection is all that it wants (tcpSocket)
	// a refused connection is tried again until the timeout, as gRPC does (R93)
	retries         bool
	timeout, period time.Duration
	faults          []*faultSchedule // that it notices
	random          random
	key, attempts   uint64 // the latency of the n-th attempt is drawn with the key
	// the probabilities that an attempt is too slow by itself, and that it is bad at all
	slow, bad float64
	untilBad  int     // attempts that go well before the next bad one
	within    float64 // the quantile of the latency at the timeout
	longest   time.Duration
	latency   script.Distribution
}

func newScripted(c *cluster, owner script.Workload, pod *corev1.Pod, replica int) *scripted {
	sc, seed := c.script, c.seed
	s := &scripted{end: c.end, programs: map[string]*scriptedProgram{}}
	for i := range pod.Spec.InitContainers {
		spec := &pod.Spec.InitContainers[i]
		s.addProgram(sc.Program(owner, spec.Name), spec, replica, seed, !isSidecar(spec))
	}
	for i := range pod.Spec.Containers {
		spec := &pod.Spec.Containers[i]
		s.addProgram(sc.Program(owner, spec.Name), spec, replica, seed, false)
	}
	for i := range sc.Faults {
		f := &sc.Faults[i]
		if !f.Effect().OnContainer() || !f.HappensIn(owner) || !f.HappensTo(replica) {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.programs)) {
			p := s.programs[name]
			if f.Container == name || f.Container == "" && p.probes != nil {
				s.faults = append(s.faults, p.addFault(newFaultSchedule(f, i, name, replica, seed)))
			}
		}
	}
	return s
}

func (s *scripted) addProgram(program script.Program, c *corev1.Container, replica int, seed uint64, plainInit bool) {
	about := []string{c.Name, fmt.Sprint(replica)}
	p := &scriptedProgram{Program: program, spec: c, random: newRandom(seed, append(about, "program")...)}
	s.programs[c.Name] = p
	if plainInit {
		if p.Exit == nil {
			p.Exit = &script.Exit{}
		}
		return
	}
	p.probes = map[lifecycle.ProbeType]*scriptedProbe{}
	for t, probe := range probesOf(c) {
		p.probes[t] = newScriptedProbe(p, t, probe, seed, about)
	}
}

func newScriptedProbe(p *scriptedProgram, t lifecycle.ProbeType, probe *corev1.Probe, seed uint64, about []string) *scriptedProbe {
	about = append(slices.Clone(about), string(t))
	a := &scriptedProbe{
		handler: NewHandler(p.spec, probe), connects: probe.TCPSocket != nil, retries: probe.GRPC != nil,
		timeout: seconds(probe.TimeoutSeconds), period: seconds(probe.PeriodSeconds),
		random: newRandom(seed, append(slices.Clone(about), "gaps")...), key: seed ^ nameHash(append(about, "latency")...), latency: p.Latency,
	}
	if a.connects {
		a.latency = script.Distribution{}
	}
	a.slow = a.latency.Exceeds(a.timeout)
	a.within = 1 - a.slow
	failures := p.Failures
	if a.connects {
		failures = 0
	}
	a.bad = 1 - (1-a.slow)*(1-failures)
	a.longest = min(a.latency.Max(), a.timeout)
	a.untilBad = a.random.gap(a.bad)
	return a
}

func (p *scriptedProgram) addFault(s *faultSchedule) *faultSchedule {
	for t, probe := range probesOf(p.spec) {
		if !notices(s.fault, p.spec, t, probe) {
			continue
		}
		s.byRestart = s.byRestart || t == lifecycle.Liveness
		if !s.effect.EndsProcess {
			p.probes[t].faults = append(p.probes[t].faults, s)
		}
	}
	if s.effect.StallsProcess {
		p.stalls = append(p.stalls, s)
	}
	return s
}

// Start implements [Programs].
func (s *scripted) Start(i Instance) *Exit {
	p := s.programs[i.Container]
	p.answersFrom = i.Starts + p.random.draw(p.Startup)
	if p.Exit == nil {
		return nil
	}
	return &Exit{After: p.random.draw(p.Exit.After), Code: p.Exit.Code}
}

// Stop implements [Programs]. A process that hangs does not notice the signal before it goes on. A
// day ahead is enough: SIGKILL comes before.
func (s *scripted) Stop(i Instance, at time.Duration) Exit {
	p := s.programs[i.Container]
	took := p.random.draw(p.Shutdown)
	code := int32(0)
	if took == 0 {
		code = 143 // no handler: the signal itself ends it
	}
	if took >= script.Infinity {
		return Exit{After: script.Infinity}
	}
	return Exit{After: finished(p.stalls, at, took, min(at+script.Day, s.end)) - at, Code: code}
}

// Hook implements [Programs].
func (s *scripted) Hook(i Instance, hook lifecycle.HookType, handler *corev1.LifecycleHandler) HookAnswer {
	p := s.programs[i.Container]
	if handler.Sleep != nil {
		return HookAnswer{After: time.Duration(handler.Sleep.Seconds) * time.Second}
	}
	takes := p.PreStop
	if hook == lifecycle.PostStart {
		takes = p.PostStart
	}
	if takes.IsZero() && handler.Exec != nil {
		return HookAnswer{After: sleeps(handler.Exec.Command)}
	}
	return HookAnswer{After: p.random.draw(takes)}
}

// sleeps is how long a command such as "sleep 10" or sh -c "sleep 10" takes; 0 for others.
func sleeps(command []string) time.Duration {
	line := strings.Fields(strings.Join(command, " "))
	for i, word := range line[:max(len(line)-1, 0)] {
		if word == "sleep" || strings.HasSuffix(word, "/sleep") {
			if n, err := strconv.ParseFloat(strings.TrimRight(line[i+1], ";&s"), 64); err == nil && n >= 0 && n < 1e6 {
				return time.Duration(n * float64(time.Second))
			}
		}
	}
	return 0
}

// finished is when work that is begun at a time and takes so long is done, if it makes no progress
// during the windows of stalls. What lies after limit is of no interest.
func finished(stalls []*faultSchedule, at, work, limit time.Duration) time.Duration {
	var stops []window
	for _, s := range stalls {
		for _, w := range s.drawUntil(limit + 1) {
			if w.begin > limit {
				break
			}
			if w.end > at {
				stops = append(stops, w)
			}
		}
	}
	slices.SortFunc(stops, func(a, b window) int { return cmp.Compare(a.begin, b.begin) })
	clock := at
	for _, w := range stops {
		if w.begin >= clock+work {
			break
		}
		work -= max(w.begin-clock, 0)
		clock = max(clock, w.end)
		if clock >= limit {
			return clock
		}
	}
	return clock + work
}

func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

func probesOf(c *corev1.Container) func(yield func(lifecycle.ProbeType, *corev1.Probe) bool) {
	return func(yield func(lifecycle.ProbeType, *corev1.Probe) bool) {
		for _, t := range lifecycle.ProbeTypes() {
			if p := map[lifecycle.ProbeType]*corev1.Probe{
				lifecycle.Startup: c.StartupProbe, lifecycle.Readiness: c.ReadinessProbe, lifecycle.Liveness: c.LivenessProbe,
			}[t]; p != nil && !yield(t, p) {
				return
			}
		}
	}
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }
