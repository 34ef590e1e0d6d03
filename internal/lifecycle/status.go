package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// loopback is the address of this machine, and of a Pod that has none of its own.
const loopback = "127.0.0.1"

// Status is the Pod's status as the API shows it at this instant. Condition transition times are
// remembered from call to call, so it is called after every [StatusChanged].
func (p *Pod) Status(now time.Time) corev1.PodStatus {
	ip := corev1.PodIP{IP: p.ip}
	status := corev1.PodStatus{
		ObservedGeneration: p.pod.Generation,
		Phase:              p.phase,
		HostIP:             loopback,
		HostIPs:            []corev1.HostIP{{IP: loopback}},
		PodIP:              ip.IP,
		PodIPs:             []corev1.PodIP{ip},
	}
	if !p.createdAt.IsZero() {
		status.StartTime = new(stamp(p.createdAt))
	}
	for _, c := range p.inits {
		status.InitContainerStatuses = append(status.InitContainerStatuses, p.containerStatus(c))
	}
	for _, c := range p.regular {
		status.ContainerStatuses = append(status.ContainerStatuses, p.containerStatus(c))
	}
	status.Conditions = p.podConditions(now)
	return status
}

func (p *Pod) containerStatus(c *container) corev1.ContainerStatus {
	status := corev1.ContainerStatus{
		Name:         c.spec.Name,
		Image:        c.spec.Image,
		ImageID:      "",
		Ready:        c.ready(),
		RestartCount: int32(max(c.instances-1, 0)),
	}
	if c.removed() && !c.running() { // the kubelet counts the next instance already
		status.RestartCount = int32(c.instances)
	}
	if !c.init || c.sidecar() {
		status.Started = new(c.started())
	}
	switch {
	case c.running():
		status.ContainerID = containerID(c.instance)
	case c.exit != nil:
		status.ContainerID = c.exit.ContainerID
	}
	status.State, status.LastTerminationState = p.containerStates(c)
	return status
}

// containerStates is the pair state and lastState (R111–R113).
func (p *Pod) containerStates(c *container) (state, last corev1.ContainerState) {
	switch {
	case c.running():
		state.Running = &corev1.ContainerStateRunning{StartedAt: stamp(c.startedAt)}
		last.Terminated = c.exit
	case c.waiting != nil && p.comesBack(c):
		state.Waiting = c.waiting
		last.Terminated = c.exit
	case c.exit != nil && (!c.removed() || p.deletion != nil):
		state.Terminated = c.exit
		last.Terminated = c.lastExit
	case p.deletion != nil && !c.alive(): // it never ran and never will (R115)
		state.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "ContainerStatusUnknown",
			Message: "The container could not be located when the pod was terminated"}
	case len(p.inits) > 0:
		state.Waiting = &corev1.ContainerStateWaiting{Reason: "PodInitializing"}
	default:
		state.Waiting = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
	}
	if c.removed() && state.Terminated == nil {
		last.Terminated = c.exit
	}
	return state, last
}

// comesBack reports whether another instance of a container that is down will be started: only then
// it is waiting for something (R113).
func (p *Pod) comesBack(c *container) bool {
	if p.deletion != nil || p.Terminal() {
		return false
	}
	return c.state != stateExited || p.restarts(c)
}

// podConditions lists the conditions in the kubelet's order (R110). lastTransitionTime moves with
// the status only (R109).
func (p *Pod) podConditions(now time.Time) []corev1.PodCondition {
	ready := p.containersReady()
	conditions := []corev1.PodCondition{
		{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionTrue},
		p.initializedCondition(),
		p.readyCondition(ready),
		ready,
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
	}
	for i := range conditions {
		conditions[i].ObservedGeneration = p.pod.Generation
	}
	if couldRestartAll(&p.pod.Spec) {
		conditions = append(conditions, p.restartAllCondition())
	}
	for i := range conditions {
		c := &conditions[i]
		c.LastTransitionTime = stamp(now)
		if before, ok := p.conditions[c.Type]; ok && before.Status == c.Status {
			c.LastTransitionTime = before.LastTransitionTime
		}
		p.conditions[c.Type] = *c
	}
	return append(conditions, p.external...)
}

func (p *Pod) initializedCondition() corev1.PodCondition {
	condition := corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}
	if p.phase == corev1.PodSucceeded {
		condition.Reason = "PodCompleted"
		return condition
	}
	var incomplete []string
	for _, c := range p.inits {
		done := c.succeeded()
		if c.sidecar() {
			done = c.started()
		}
		if !done && !p.initialized {
			incomplete = append(incomplete, c.spec.Name)
		}
	}
	// Once a Pod is initialized it stays so, even while its init containers run once more (R225).
	if len(incomplete) > 0 && p.conditions[corev1.PodInitialized].Status != corev1.ConditionTrue {
		condition.Status, condition.Reason = corev1.ConditionFalse, "ContainersNotInitialized"
		condition.Message = fmt.Sprintf("containers with incomplete status: %s", incomplete)
	}
	return condition
}

// containersReady is the ContainersReady condition (R105, R108).
func (p *Pod) containersReady() corev1.PodCondition {
	condition := corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionFalse}
	switch p.phase {
	case corev1.PodSucceeded:
		condition.Reason = "PodCompleted"
		return condition
	case corev1.PodFailed:
		condition.Reason = "PodFailed"
		return condition
	}
	var unready []string
	for c := range p.containers() {
		if (!c.init || c.sidecar()) && !c.ready() {
			unready = append(unready, c.spec.Name)
		}
	}
	if len(unready) > 0 {
		condition.Reason, condition.Message = "ContainersNotReady", fmt.Sprintf("containers with unready status: %s", unready)
		return condition
	}
	condition.Status = corev1.ConditionTrue
	return condition
}

// readyCondition copies ContainersReady unless that is True; then the readiness gates decide (R106,
// R107).
func (p *Pod) readyCondition(containers corev1.PodCondition) corev1.PodCondition {
	condition := containers
	condition.Type = corev1.PodReady
	if containers.Status != corev1.ConditionTrue {
		return condition
	}
	if messages := p.closedGates(); len(messages) > 0 {
		condition.Status, condition.Reason = corev1.ConditionFalse, "ReadinessGatesNotReady"
		condition.Message = strings.Join(messages, ", ")
	}
	return condition
}

func (p *Pod) closedGates() []string {
	var messages []string
	for _, gate := range p.pod.Spec.ReadinessGates {
		i := slices.IndexFunc(p.external, func(c corev1.PodCondition) bool { return c.Type == gate.ConditionType })
		switch {
		case i < 0:
			messages = append(messages, fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", gate.ConditionType))
		case p.external[i].Status != corev1.ConditionTrue:
			messages = append(messages, fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but %s", gate.ConditionType, p.external[i].Status))
		}
	}
	return messages
}

// stamp cuts an instant to the second, as statuses do (R109). It keeps the monotonic reading, so
// that ages stay right when the wall clock is set.
func stamp(t time.Time) metav1.Time {
	return metav1.NewTime(t.Add(-time.Duration(t.Nanosecond())))
}

func containerID(instance string) string { return "probity://" + instance }
