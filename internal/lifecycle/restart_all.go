package lifecycle

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// restartAll is a restart of the whole Pod in place, which the exit of a container asked for
// (R223–R226): every container is killed without preStop and grace, one after the other, and when
// nothing is left the Pod starts from its first init container.
type restartAll struct {
	kills []*container // still to do
	over  time.Time    // when nothing was left; zero before
}

// restartingAll is the reason in the status of a container that was removed for such a restart.
const (
	restartingAll        = "RestartingAllContainers"
	restartingAllMessage = "The container is removed because RestartAllContainers in place"
)

// couldRestartAll reports whether some exit restarts all containers of a Pod.
func couldRestartAll(spec *corev1.PodSpec) bool {
	for _, c := range Containers(spec) {
		for _, rule := range c.RestartPolicyRules {
			if rule.Action == corev1.ContainerRestartRuleActionRestartAllContainers {
				return true
			}
		}
	}
	return false
}

// asksForAll reports whether the exit of a container restarts the whole Pod.
func (c *container) asksForAll() bool {
	return c.state == stateExited && ruleAction(c.spec, c.exit.ExitCode) == corev1.ContainerRestartRuleActionRestartAllContainers
}

// planRestartAll begins such a restart if a container asks for it. Regular containers are killed
// before those of the initialization (R223).
func (p *Pod) planRestartAll() *sync {
	asked := false
	for c := range p.containers() {
		asked = asked || c.asksForAll()
	}
	if !asked {
		return nil
	}
	all := &restartAll{}
	for _, group := range [][]*container{p.regular, p.inits} {
		for _, c := range group {
			if c.alive() {
				all.kills = append(all.kills, c)
			}
		}
	}
	p.changed = true
	return &sync{all: all}
}

// carryOutAll kills the containers one after the other, and resets the Pod when nothing is left. It
// does so at the next event, which Deadline asks for at once: until then the status says that all
// containers restart.
func (p *Pod) carryOutAll(s *sync, now time.Time) (done bool) {
	for {
		switch {
		case s.current != nil && p.busy(s.current):
			return false
		case len(s.all.kills) > 0:
			s.current, s.all.kills = s.all.kills[0], s.all.kills[1:]
			if s.current.running() { // it may have ended by itself
				p.beginKill(s.current, "killing", 0, false, now)
			}
		case s.all.over.IsZero():
			s.all.over = now
			return false
		default:
			p.reset()
			return true
		}
	}
}

// reset makes every container as if it had never run, but for what its status remembers (R225).
// Without an exit that is known there is no back-off. Probes count from zero, unlike the kubelet's
// (R226, docs/differences.md).
func (p *Pod) reset() {
	for c := range p.containers() {
		if c.instances == 0 { // it has not run yet
			continue
		}
		c.exit = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: restartingAll, Message: restartingAllMessage}
		c.waiting = &corev1.ContainerStateWaiting{Reason: restartingAll, Message: restartingAllMessage}
		c.state, c.finished, c.retryAt, c.initialized, c.hookFailed = stateWaiting, time.Time{}, time.Time{}, false, false
		for _, w := range c.workers {
			w.run, w.last = 0, ResultUnknown
		}
	}
	p.initialized, p.changed = false, true
}

// removed reports whether the last instance of a container is gone for a restart of all containers,
// so that how it ended says nothing about the next.
func (c *container) removed() bool { return c.exit != nil && c.exit.Reason == restartingAll }

// endRestartAll lets the containers that wait for their turn in the new round wait for what all
// Pods wait for, once the first of it runs.
func (p *Pod) endRestartAll() {
	for c := range p.containers() {
		if c.removed() && !c.running() {
			c.waiting = nil
		}
	}
}

// restartAllCondition is the condition of a Pod whose containers can ask for such a restart (R224).
func (p *Pod) restartAllCondition() corev1.PodCondition {
	condition := corev1.PodCondition{Type: corev1.AllContainersRestarting, Status: corev1.ConditionFalse}
	switch {
	case p.phase == corev1.PodSucceeded:
		condition.Reason = "PodCompleted"
	case p.phase == corev1.PodFailed:
		condition.Reason = "PodFailed"
	case p.sync != nil && p.sync.all != nil:
		condition.Status, condition.Reason, condition.Message = corev1.ConditionTrue, "RestartAllContainersStarted", "container exited with restart policy rule"
	}
	return condition
}
