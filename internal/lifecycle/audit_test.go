package lifecycle

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// auditor watches a Pod from outside, event by event and effect by effect, and collects what must
// never be. It keeps its own books and looks at nothing but the Pod's exported face.
type auditor struct {
	pod      *Pod
	spec     corev1.PodSpec
	maxDelay time.Duration
	books    map[string]*book
	order    []string // of the books: init containers, then regular ones
	now      time.Time

	deleted, aborted, finished bool
	grace                      time.Duration // of the deletion
	status                     corev1.PodStatus
	faults                     []string
}

// book is what the auditor knows of one container.
type book struct {
	spec  *corev1.Container
	init  bool
	index int // among all containers

	instance  string
	starting  bool // a start was asked for and not answered yet
	alive     bool
	visible   bool // alive, and postStart is done
	instances int  // visible ones, and those that ended before they were
	startedAt time.Time
	inFlight  map[ProbeType]bool
	succeeded map[ProbeType]bool // at least once, this instance
	tally     map[ProbeType]*tally
	verdict   ProbeType // the probe that condemned this instance
	kill      *killBook

	ended, endedBefore time.Time // the last instance, and the one before it
	condemned          bool      // the last instance had a verdict
	killedByProbe      bool      // and was killed for it
	refused            bool      // a start was refused since it ended
	delay              time.Duration
	counted            time.Time // the last start that counted for the back-off
}

type tally struct {
	success bool
	run     int
}

func newAuditor(pod *Pod, spec corev1.PodSpec, opts Options) *auditor {
	a := &auditor{pod: pod, spec: spec, maxDelay: opts.MaxRestartPeriod, books: map[string]*book{}}
	if a.maxDelay == 0 {
		a.maxDelay = 300 * time.Second
	}
	add := func(c *corev1.Container, init bool) {
		a.books[c.Name] = &book{spec: c, init: init, index: len(a.order), tally: map[ProbeType]*tally{}}
		a.order = append(a.order, c.Name)
	}
	for i := range spec.InitContainers {
		add(&spec.InitContainers[i], true)
	}
	for i := range spec.Containers {
		add(&spec.Containers[i], false)
	}
	return a
}

func (a *auditor) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

func (a *auditor) require(ok bool, format string, args ...any) {
	if !ok {
		a.fault(format, args...)
	}
}

// observe takes what happened, and what the Pod asked for about it.
func (a *auditor) observe(event Event, effects []Effect, now time.Time) {
	a.now = now
	a.event(event)
	for _, e := range effects {
		a.effect(e)
	}
	a.checkStatus(slices.Contains(effects, Effect(StatusChanged{})))
	a.checkKills()
	deadline := a.pod.Deadline()
	a.require(deadline.IsZero() || deadline.After(now), "the deadline lies %v back", now.Sub(deadline))
}

func (a *auditor) event(event Event) {
	switch e := event.(type) {
	case Started:
		if b := a.current(e.Container, e.Instance); b != nil && b.starting {
			b.starting, b.alive, b.startedAt = false, true, e.At
			if !a.deleted && (b.spec.Lifecycle == nil || b.spec.Lifecycle.PostStart == nil) {
				b.show()
			}
		}
	case StartFailed:
		if b := a.current(e.Container, e.Instance); b != nil && b.starting {
			b.starting = false
			if e.Reason == "RunContainerError" {
				b.end(a.now)
			}
		}
	case Exited:
		if b := a.current(e.Container, e.Instance); b != nil && b.alive {
			b.end(e.At)
		}
	case HookDone:
		if b := a.current(e.Container, e.Instance); b != nil && b.alive && !b.visible && b.kill == nil && e.Hook == PostStart && e.Err == nil {
			b.show()
		}
	case ProbeDone:
		if b := a.current(e.Container, e.Instance); b != nil && b.alive && b.inFlight[e.Type] {
			b.inFlight[e.Type] = false
			b.count(e)
		}
	case Deleted:
		a.delete(max(e.Grace, time.Second))
	case Aborted:
		a.aborted = true
		a.delete(time.Second)
	}
}

func (a *auditor) delete(grace time.Duration) {
	if !a.deleted || grace < a.grace {
		a.deleted, a.grace = true, grace
		for _, b := range a.books {
			if b.kill != nil {
				b.kill.shortened = true
			}
		}
	}
}

func (a *auditor) current(container, instance string) *book {
	if b := a.books[container]; b != nil && b.instance == instance {
		return b
	}
	return nil
}

func (b *book) sidecar() bool {
	return b.init && b.spec.RestartPolicy != nil && *b.spec.RestartPolicy == "Always"
}

func (b *book) show() {
	b.visible = true
	b.instances++
}

func (b *book) end(at time.Time) {
	if !b.visible {
		b.instances++
	}
	b.killedByProbe = b.kill != nil && strings.Contains(b.kill.message, " failed ")
	b.condemned = b.verdict != ""
	b.alive, b.visible, b.kill, b.refused = false, false, nil, false
	b.endedBefore, b.ended = b.ended, at
}

// count keeps the run of equal results, as R25–R28 and R37–R39 say.
func (b *book) count(e ProbeDone) {
	if e.Outcome == OutcomeErrorFailure || e.Outcome == OutcomeErrorUnknown {
		return
	}
	c := b.tally[e.Type]
	if c == nil {
		c = &tally{}
		b.tally[e.Type] = c
	}
	success := e.Outcome != OutcomeFailure
	if success {
		b.succeeded[e.Type] = true
	}
	if c.success != success {
		c.success, c.run = success, 0
	}
	c.run++
	switch {
	case success && e.Type == Startup:
		c.run = 0
	case !success && e.Type != Readiness && c.run >= int(probeOf(b.spec, e.Type).FailureThreshold):
		b.verdict, c.run = e.Type, 0
	}
}

func (a *auditor) effect(effect Effect) {
	switch e := effect.(type) {
	case StartContainer:
		a.start(a.books[e.Container], e)
	case RunProbe:
		a.probe(a.books[e.Container], e)
	case CancelProbe:
		b := a.books[e.Container]
		a.require(b.instance == e.Instance && b.inFlight[e.Type], "%s: cancelled a %s probe that is not in flight", e.Container, e.Type)
		b.inFlight[e.Type] = false
	case RunHook:
		b := a.books[e.Container]
		a.require(b.alive && b.instance == e.Instance, "%s: a hook without a process", e.Container)
		a.require(!a.aborted, "%s: a hook of an aborted Pod", e.Container)
		if e.Hook == PreStop {
			a.require(b.kill != nil && b.kill.stopped.IsZero() && b.kill.grace > 0, "%s: preStop out of place", e.Container)
		}
	case StopContainer:
		a.stop(a.books[e.Container], e)
	case KillContainer:
		a.force(a.books[e.Container], e)
	case Record:
		a.record(e)
	case Finished:
		a.require(a.deleted && !a.finished && !a.anyAlive(), "finished out of place")
		a.finished = true
	}
}

func (a *auditor) anyAlive() bool {
	for _, b := range a.books {
		if b.alive || b.starting {
			return true
		}
	}
	return false
}

func (a *auditor) start(b *book, e StartContainer) {
	name := e.Container
	a.require(!b.alive && !b.starting, "%s: started twice", name)
	a.require(!a.deleted, "%s: started in a deleted Pod", name)
	a.require(!isTerminal(a.status.Phase), "%s: started in phase %s", name, a.status.Phase)
	a.require(e.Instance != b.instance, "%s: instance %s again", name, e.Instance)
	a.require(e.Restarts == b.instances, "%s: restarts = %d after %d instances", name, e.Restarts, b.instances)
	for _, other := range a.books {
		a.require(!other.starting && other.kill == nil && other.alive == other.visible, "%s: started while %s is busy", name, other.spec.Name)
	}
	a.backOff(b)
	b.instance, b.starting, b.verdict, b.refused = e.Instance, true, "", false
	b.inFlight, b.succeeded = map[ProbeType]bool{}, map[ProbeType]bool{}
}

// backOff checks that a start is not too early, by R148 and R151: a probe kill is judged by the
// exit before it.
func (a *auditor) backOff(b *book) {
	end := b.ended
	if b.condemned && !b.refused {
		if !b.killedByProbe {
			return // it ended by itself before its kill, which may or may not have been planned
		}
		end = b.endedBefore
	}
	if end.IsZero() {
		return
	}
	recorded := b.delay > 0 && a.now.Sub(b.counted) <= 600*time.Second
	if recorded {
		a.require(a.now.Sub(end) >= b.delay, "%s: started %v after an exit, back-off %v", b.spec.Name, a.now.Sub(end), b.delay)
		b.delay = min(2*b.delay, a.maxDelay)
	} else {
		b.delay = min(10*time.Second, a.maxDelay)
	}
	b.counted = a.now
}

func (a *auditor) probe(b *book, e RunProbe) {
	name := e.Container + " " + string(e.Type)
	if !b.alive || !b.visible || b.instance != e.Instance {
		a.fault("%s: probed without a process", name)
		return
	}
	a.require(!b.inFlight[e.Type], "%s: two attempts at a time", name)
	delay := time.Duration(e.Probe.InitialDelaySeconds) * time.Second
	a.require(a.now.Sub(b.startedAt) >= delay, "%s: probed within the initial delay", name)
	started := b.spec.StartupProbe == nil || b.succeeded[Startup]
	a.require(started == (e.Type != Startup), "%s: probed, started = %v", name, started)
	a.require(e.Type != b.verdict, "%s: probed after the verdict", name)
	a.require(!a.deleted || b.init || e.Type == Readiness, "%s: probed in a deleted Pod", name)
	b.inFlight[e.Type] = true
}

func (a *auditor) record(e Record) {
	_, name, _ := strings.Cut(strings.TrimSuffix(e.FieldPath, "}"), "{")
	switch e.Reason {
	case "BackOff":
		a.books[name].refused = true
	case "Killing":
		a.beginKill(a.books[name], e.Message)
	}
}

func (a *auditor) checkStatus(announced bool) {
	status := a.pod.Status(a.now)
	if !announced && !reflect.DeepEqual(a.status, status) {
		a.fault("the status changed in silence:\n%s", cmp.Diff(a.status, status))
	}
	if isTerminal(a.status.Phase) {
		a.require(status.Phase == a.status.Phase, "phase %s became %s", a.status.Phase, status.Phase)
	}
	a.status = status
	ready := true
	for _, c := range slices.Concat(status.InitContainerStatuses, status.ContainerStatuses) {
		b := a.books[c.Name]
		a.checkContainer(b, c)
		if !b.init || b.sidecar() {
			ready = ready && c.Ready
		}
	}
	for _, c := range status.Conditions {
		if c.Type == corev1.ContainersReady {
			want := ready && !isTerminal(status.Phase)
			a.require((c.Status == corev1.ConditionTrue) == want, "ContainersReady is %s, want %v", c.Status, want)
		}
	}
}

func (a *auditor) checkContainer(b *book, c corev1.ContainerStatus) {
	a.require(int(c.RestartCount) == max(b.instances-1, 0), "%s: restartCount %d with %d instances", c.Name, c.RestartCount, b.instances)
	running := c.State.Running != nil
	a.require(running == b.visible, "%s: running = %v, want %v", c.Name, running, b.visible)
	for t, inFlight := range b.inFlight {
		a.require(!inFlight || b.alive, "%s: a %s attempt outlives its instance", c.Name, t)
	}
	if b.init && !b.sidecar() {
		return
	}
	started := running && (b.spec.StartupProbe == nil || b.succeeded[Startup])
	a.require(*c.Started == started, "%s: started = %v, want %v", c.Name, *c.Started, started)
	a.require(!c.Ready || started, "%s: ready, not started", c.Name)
	a.require(!c.Ready || b.spec.ReadinessProbe == nil || b.succeeded[Readiness], "%s: ready without a success", c.Name)
	a.require(c.Ready || !started || b.spec.ReadinessProbe != nil, "%s: started and unprobed, not ready", c.Name)
}

func isTerminal(p corev1.PodPhase) bool { return p == corev1.PodSucceeded || p == corev1.PodFailed }
