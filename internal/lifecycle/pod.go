package lifecycle

import (
	"cmp"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Options for [NewPod]. The zero value is the kubelet's behaviour.
type Options struct {
	// MaxRestartPeriod caps the crash-loop back-off, as the kubelet's
	// crashLoopBackOff.maxContainerRestartPeriod does (R147). Zero means 300 s.
	MaxRestartPeriod time.Duration
	// ProbesSince is when the workers of the Pod's probes were made. A kubelet makes them before it
	// starts a container, and their ticks count from then on (R3, R7, R8). Zero means that the
	// first tick comes half a second to a second after the initial delay.
	ProbesSince time.Time
	// IP is the Pod's address. Empty means 127.0.0.1.
	IP string
	// Resync is after how long a quiet Pod is synced again, which probes readiness out of turn if
	// it is not ready (R14). A kubelet draws 60 to 90 s each time (R18). Zero means 60 s.
	Resync time.Duration
}

// Pod is one Pod's state. Make it with [NewPod]; the first [Tick] starts it. It is not safe for
// concurrent use.
type Pod struct {
	pod     *corev1.Pod
	ip      string
	inits   []*container
	regular []*container

	createdAt    time.Time
	initialized  bool // every init container did its part; never taken back
	sync         *sync
	deletion     *deletion
	phase        corev1.PodPhase
	conditions   map[corev1.PodConditionType]corev1.PodCondition
	external     []corev1.PodCondition // set by others, for readiness gates
	aborted      bool                  // an event says so
	restartAsked []string              // containers that a person wants restarted; "" is all

	effects  []Effect
	changed  bool
	finished bool
}

// NewPod makes the state of a Pod that has not started. The spec must be defaulted and valid; it is
// read, never written, and must not change.
func NewPod(pod *corev1.Pod, opts Options) *Pod {
	p := &Pod{pod: pod, ip: cmp.Or(opts.IP, loopback), phase: corev1.PodPending, conditions: map[corev1.PodConditionType]corev1.PodCondition{}}
	backoff := Backoff{Max: opts.MaxRestartPeriod}
	for i := range pod.Spec.InitContainers {
		p.inits = append(p.inits, newContainer(pod, &pod.Spec.InitContainers[i], true, i, backoff))
	}
	for i := range pod.Spec.Containers {
		p.regular = append(p.regular, newContainer(pod, &pod.Spec.Containers[i], false, i, backoff))
	}
	p.eachWorker(func(_ *container, w *Worker) { w.anchor, w.resync = opts.ProbesSince, cmp.Or(opts.Resync, resync) })
	return p
}

// On takes an event and returns what has to be done about it, in order. Instants must not go back.
// Answers about an instance that is no longer current are ignored.
func (p *Pod) On(event Event, now time.Time) []Effect {
	if p.createdAt.IsZero() {
		p.createdAt, p.changed = now, true
	}
	p.eachWorker(func(c *container, w *Worker) {
		if !c.open(w) {
			w.skip(now)
		}
	})
	p.apply(event, now)
	for c := range p.containers() {
		if c.kill.active() {
			p.killDue(c, now)
		}
	}
	p.advance(now)
	p.settlePhase()
	if p.changed {
		p.emit(StatusChanged{})
		p.triggerReadiness(now)
	}
	p.runProbes(now)
	if p.deletion != nil && !p.finished && !p.anyAlive() {
		p.finished = true
		p.emit(Finished{})
	}
	effects := p.effects
	p.effects, p.changed = nil, false
	return effects
}

// Deadline is the instant of the next [Tick]; zero if only another event can change anything.
func (p *Pod) Deadline() time.Time {
	var deadline time.Time
	consider := func(t time.Time) {
		if !t.IsZero() && (deadline.IsZero() || t.Before(deadline)) {
			deadline = t
		}
	}
	if p.sync != nil && p.sync.all != nil {
		consider(p.sync.all.over)
	}
	for c := range p.containers() {
		consider(c.kill.deadline)
		if p.deletion == nil && p.sync == nil && !p.Terminal() {
			consider(c.retryAt)
		}
	}
	p.eachWorker(func(c *container, w *Worker) {
		if c.open(w) && !w.inFlight {
			consider(w.due())
		}
	})
	return deadline
}

// Terminal reports whether the Pod Succeeded or Failed: nothing of it will run again (R117).
func (p *Pod) Terminal() bool { return p.phase == corev1.PodSucceeded || p.phase == corev1.PodFailed }

// Probes lists the state of every probe, in the order of the containers.
func (p *Pod) Probes() []ProbeState {
	var states []ProbeState
	p.eachWorker(func(c *container, w *Worker) { states = append(states, w.state(c.spec.Name)) })
	return states
}

// SuccessIsRoutine reports whether one more success of a probe would change nothing but its
// counter: the last run succeeded, and that is what counts already.
func (p *Pod) SuccessIsRoutine(name string, t ProbeType) bool {
	routine := false
	p.eachWorker(func(c *container, w *Worker) {
		if c.spec.Name == name && w.probeType == t {
			routine = w.result == ResultSuccess && w.last == ResultSuccess
		}
	})
	return routine
}

func (p *Pod) apply(event Event, now time.Time) {
	switch e := event.(type) {
	case Tick:
	case Started:
		p.onStarted(e, now)
	case StartFailed:
		p.onStartFailed(e, now)
	case Exited:
		p.onExited(e)
	case ProbeDone:
		p.onProbeDone(e)
	case HookDone:
		p.onHookDone(e, now)
	case Deleted:
		p.onDeleted(e.Grace, now)
	case Aborted:
		p.onAborted(now)
	case ConditionSet:
		p.onConditionSet(e.Condition)
	case BackoffLimited:
		p.onBackoffLimited(e.Max)
	case RestartAsked:
		p.restartAsked = append(p.restartAsked, e.Container)
	case KubeletRestarted:
		p.onKubeletRestarted(e, now)
	}
}

func (p *Pod) onStarted(e Started, now time.Time) {
	c := p.current(e.Container, e.Instance)
	if c == nil || c.state != stateStarting {
		return
	}
	c.startedAt = e.At
	p.record(c, corev1.EventTypeNormal, "Created", "Container created")
	p.record(c, corev1.EventTypeNormal, "Started", "Container started")
	hook := c.postStart()
	switch {
	case p.deletion != nil: // it came up too late
		c.state = statePostStart
		p.killForDeletion(c, now)
	case hook != nil:
		c.state = statePostStart
		p.emit(RunHook{c.spec.Name, c.instance, PostStart, hook})
	default:
		p.running(c, now)
	}
}

// running makes an instance visible to everyone: probes, status, the next init container.
func (p *Pod) running(c *container, now time.Time) {
	c.state, c.waiting, p.changed = stateRunning, nil, true
	c.instances++
	p.endRestartAll()
	for _, w := range c.workers {
		w.begin(c.instance, c.startedAt, now)
	}
}

func (p *Pod) onStartFailed(e StartFailed, now time.Time) {
	c := p.current(e.Container, e.Instance)
	if c == nil || c.state != stateStarting {
		return
	}
	p.changed = true
	c.waiting = &corev1.ContainerStateWaiting{Reason: e.Reason, Message: e.Message}
	if e.Reason != "RunContainerError" {
		// nothing was created: no instance, no back-off, the generic retry (R18, R112)
		p.record(c, corev1.EventTypeWarning, "Failed", "Error: "+e.Message)
		c.state, c.retryAt = stateWaiting, now.Add(InitialBackoff)
		if c.exit != nil && !c.removed() {
			c.state = stateExited
		}
		return
	}
	p.record(c, corev1.EventTypeNormal, "Created", "Container created")
	p.record(c, corev1.EventTypeWarning, "Failed", "Error: "+e.Message)
	c.startedAt = now
	p.exited(c, &corev1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError", Message: e.Message}, now)
}

func (p *Pod) onExited(e Exited) {
	c := p.current(e.Container, e.Instance)
	if c == nil || !c.alive() {
		return
	}
	reason := e.Reason
	switch {
	case reason != "":
	case e.ExitCode == 0:
		reason = "Completed"
	default:
		reason = "Error"
	}
	if !c.hookFailed {
		c.waiting = nil
	}
	p.exited(c, &corev1.ContainerStateTerminated{ExitCode: e.ExitCode, Signal: e.Signal, Reason: reason}, e.At)
}

// exited ends the current instance. What is in flight for it is forgotten (R35).
func (p *Pod) exited(c *container, exit *corev1.ContainerStateTerminated, at time.Time) {
	exit.StartedAt, exit.FinishedAt = stamp(c.startedAt), stamp(at)
	exit.ContainerID = containerID(c.instance)
	c.lastExit, c.exit = c.exit, exit
	if !c.running() { // it ended before anybody saw it
		c.instances++
	}
	p.cutPreStop(c)
	c.state, c.finished, c.kill, c.retryAt, p.changed = stateExited, at, kill{}, time.Time{}, true
	for _, w := range c.workers {
		if w.cancel() {
			p.emit(CancelProbe{c.spec.Name, c.instance, w.probeType})
		}
	}
}

func (p *Pod) onProbeDone(e ProbeDone) {
	c := p.current(e.Container, e.Instance)
	if c == nil || !c.running() {
		return
	}
	w := c.worker(e.Type)
	if w == nil || !w.inFlight {
		return
	}
	again, changed := w.count(e.Outcome)
	if again {
		p.emit(RunProbe{c.spec.Name, c.instance, w.probeType, w.probe})
		return
	}
	p.recordOutcome(c, e)
	// Of liveness only a Failure concerns anyone, and that shows as a kill (R102).
	p.changed = p.changed || changed && w.probeType != Liveness
}

// recordOutcome reports every run that did not simply succeed, below the threshold too (R44, R45).
func (p *Pod) recordOutcome(c *container, e ProbeDone) {
	switch e.Outcome {
	case OutcomeWarning:
		p.record(c, corev1.EventTypeWarning, "ProbeWarning", fmt.Sprintf("%s probe warning: %s", e.Type, e.Output))
	case OutcomeFailure:
		p.record(c, corev1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe failed: %s", e.Type, e.Output))
	case OutcomeErrorFailure:
		p.record(c, corev1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe errored and resulted in failure state: %s", e.Type, e.Output))
	case OutcomeErrorUnknown:
		p.record(c, corev1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe errored and resulted in unknown state: %s", e.Type, e.Output))
	}
}

func (p *Pod) onHookDone(e HookDone, now time.Time) {
	c := p.current(e.Container, e.Instance)
	switch {
	case c == nil || !c.alive():
	case e.Hook == PreStop:
		p.preStopDone(c, e.Err, now)
	case c.state != statePostStart || c.kill.active():
	case e.Err == nil:
		p.running(c, now)
	default: // R140
		p.record(c, corev1.EventTypeWarning, "FailedPostStartHook", "PostStartHook failed")
		c.waiting = &corev1.ContainerStateWaiting{Reason: "PostStartHookError", Message: "PostStartHook failed"}
		c.hookFailed, p.changed = true, true
		p.beginKill(c, "FailedPostStartHook", p.grace(c, ""), false, now)
	}
}

func (p *Pod) onConditionSet(condition corev1.PodCondition) {
	for i := range p.external {
		if p.external[i].Type == condition.Type {
			p.changed = p.changed || p.external[i] != condition
			p.external[i] = condition
			return
		}
	}
	p.external, p.changed = append(p.external, condition), true
}

// runProbes starts every run that is due.
func (p *Pod) runProbes(now time.Time) {
	p.eachWorker(func(c *container, w *Worker) {
		if c.open(w) && w.runIfDue(now) {
			p.emit(RunProbe{c.spec.Name, c.instance, w.probeType, w.probe})
		}
	})
}

// triggerReadiness is the manual trigger: status was generated, so readiness of what is not ready
// is probed at once (R13).
func (p *Pod) triggerReadiness(now time.Time) {
	for c := range p.containers() {
		if w := c.worker(Readiness); w != nil && c.started() && !c.ready() {
			w.trigger(now)
		}
	}
}

func (p *Pod) emit(e Effect) { p.effects = append(p.effects, e) }

func (p *Pod) record(c *container, eventType, reason, message string) {
	path := ""
	if c != nil {
		path = c.fieldPath()
	}
	p.emit(Record{FieldPath: path, Type: eventType, Reason: reason, Message: message})
}

// containers yields the init containers, then the regular ones.
func (p *Pod) containers() func(yield func(*container) bool) {
	return func(yield func(*container) bool) {
		for _, c := range p.inits {
			if !yield(c) {
				return
			}
		}
		for _, c := range p.regular {
			if !yield(c) {
				return
			}
		}
	}
}

func (p *Pod) eachWorker(do func(*container, *Worker)) {
	for c := range p.containers() {
		for _, w := range c.workers {
			do(c, w)
		}
	}
}

// current finds a container by name if the instance is its current one.
func (p *Pod) current(name, instance string) *container {
	for c := range p.containers() {
		if c.spec.Name == name && c.instance == instance {
			return c
		}
	}
	return nil
}

func (p *Pod) anyAlive() bool {
	for c := range p.containers() {
		if c.alive() {
			return true
		}
	}
	return false
}
