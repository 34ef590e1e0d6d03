package lifecycle

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// containerState is where an instance of a container is in its life.
type containerState string

const (
	stateWaiting  containerState = "Waiting"  // no instance was ever created
	stateStarting containerState = "Starting" // the shell was asked for a process
	// the process runs, its postStart hook too; nobody sees it yet (R24)
	statePostStart containerState = "PostStart"
	stateRunning   containerState = "Running"
	stateExited    containerState = "Exited"
)

// container is one container of a Pod and its current instance.
type container struct {
	spec  *corev1.Container
	init  bool
	index int // among the init containers, or among the regular ones

	state     containerState
	instance  string
	attempts  int // starts that were asked for; makes instance names unique
	instances int // how many were seen: one that runs its postStart hook is not, yet (R24)
	startedAt time.Time
	kill      kill
	workers   []*Worker

	exit     *corev1.ContainerStateTerminated // of the current instance, if it exited
	lastExit *corev1.ContainerStateTerminated // of the instance before
	// when the newest exited instance ended, uncut; zero if none did
	finished time.Time
	// shown instead of the state until the next instance runs
	waiting *corev1.ContainerStateWaiting

	hookFailed bool // this instance's postStart hook failed, so it never counts as running

	backoff Backoff
	// the one that counts again after [BackoffLimited]; nil otherwise
	ownBackoff *Backoff

	retryAt time.Time // a refused start is not tried before

	// an init container that did its part once: it succeeded, or it was started as a sidecar (R174)
	initialized bool
}

func newContainer(pod *corev1.Pod, spec *corev1.Container, init bool, index int, backoff Backoff) *container {
	c := &container{spec: spec, init: init, index: index, state: stateWaiting, backoff: backoff}
	if init && !c.sidecar() {
		return c // plain init containers have no probes (R2)
	}
	for _, t := range ProbeTypes() {
		if probe := probeOf(spec, t); probe != nil {
			c.workers = append(c.workers, newWorker(string(pod.UID), spec.Name, t, probe))
		}
	}
	return c
}

func probeOf(spec *corev1.Container, t ProbeType) *corev1.Probe {
	switch t {
	case Startup:
		return spec.StartupProbe
	case Readiness:
		return spec.ReadinessProbe
	default:
		return spec.LivenessProbe
	}
}

// sidecar reports whether this is an init container that runs beside the regular ones (R172).
func (c *container) sidecar() bool {
	return c.init && c.spec.RestartPolicy != nil && *c.spec.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// alive reports whether a process of the container exists or is being made.
func (c *container) alive() bool {
	return c.state == stateStarting || c.state == statePostStart || c.state == stateRunning
}

func (c *container) running() bool { return c.state == stateRunning }

func (c *container) succeeded() bool { return c.state == stateExited && c.exit.ExitCode == 0 }

func (c *container) worker(t ProbeType) *Worker {
	for _, w := range c.workers {
		if w.probeType == t {
			return w
		}
	}
	return nil
}

// started is the status field of that name (R96, R97).
func (c *container) started() bool {
	if !c.running() {
		return false
	}
	w := c.worker(Startup)
	return w == nil || w.result == ResultSuccess
}

// ready is the status field of that name (R98, R99). A plain init container is ready once it
// succeeded.
func (c *container) ready() bool {
	if c.init && !c.sidecar() {
		return c.succeeded()
	}
	if !c.started() {
		return false
	}
	w := c.worker(Readiness)
	return w == nil || w.result == ResultSuccess
}

// failedProbe names the probe for which a running container has to be killed; liveness comes first
// (R118).
func (c *container) failedProbe() (ProbeType, bool) {
	if !c.running() {
		return "", false
	}
	for _, t := range []ProbeType{Liveness, Startup} {
		if w := c.worker(t); w != nil && w.result == ResultFailure {
			return t, true
		}
	}
	return "", false
}

// open reports whether the gates let a worker run, but for time (R19.5, R19.6, R19.9).
func (c *container) open(w *Worker) bool {
	if w.stopped || w.hold || !c.running() {
		return false
	}
	return c.started() != (w.probeType == Startup)
}

func (c *container) fieldPath() string {
	if c.init {
		return fmt.Sprintf("spec.initContainers{%s}", c.spec.Name)
	}
	return fmt.Sprintf("spec.containers{%s}", c.spec.Name)
}

func (c *container) preStop() *corev1.LifecycleHandler {
	if c.spec.Lifecycle == nil {
		return nil
	}
	return c.spec.Lifecycle.PreStop
}

func (c *container) postStart() *corev1.LifecycleHandler {
	if c.spec.Lifecycle == nil {
		return nil
	}
	return c.spec.Lifecycle.PostStart
}

func (c *container) stopSignal() corev1.Signal {
	if c.spec.Lifecycle != nil && c.spec.Lifecycle.StopSignal != nil {
		return *c.spec.Lifecycle.StopSignal
	}
	return corev1.SIGTERM
}
