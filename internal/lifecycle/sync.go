package lifecycle

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// sync is one pass of work on a Pod: its kills one after the other, then its starts (R121, R122).
// Nothing new is decided before it is done, so what happens meanwhile waits for the next pass.
type sync struct {
	killPod bool // everything goes, in parallel (R123, R138)
	kills   []probeKill
	starts  []start
	all     *restartAll // nil but when all containers restart; then nothing else is in the pass
	current *container  // whose exit, or start, is waited for
}

// probeKill is a container to kill because a probe failed; without a probe, because somebody asked
// for it.
type probeKill struct {
	container *container
	probe     ProbeType
	restart   bool
}

// start is a container to start. The back-off is judged by the exit that was known when the pass
// was planned (R148): a kill of the same pass is not in it, which is why a probe kill restarts
// sooner than a crash (R151).
type start struct {
	container *container
	finished  time.Time // zero if no instance had exited by then
}

func (s *sync) empty() bool {
	return !s.killPod && s.all == nil && len(s.kills) == 0 && len(s.starts) == 0
}

// advance goes on with the pass in progress, and plans the next one until there is nothing to do
// but wait.
func (p *Pod) advance(now time.Time) {
	p.releaseQueued(now)
	for p.deletion == nil { // a Pod that is being deleted starts nothing (R126)
		if p.sync == nil {
			s := p.plan(now)
			if s.empty() {
				p.forgetRetries(now)
				return
			}
			p.sync = s
		}
		if !p.carryOut(p.sync, now) {
			return
		}
		p.sync = nil
	}
}

// carryOut does the next steps of a pass and reports whether it is done. Each pass starts, refuses
// or kills something, so the loop in advance ends.
func (p *Pod) carryOut(s *sync, now time.Time) bool {
	if s.killPod {
		p.killAll(now)
		return !p.anyAlive()
	}
	if s.all != nil {
		return p.carryOutAll(s, now)
	}
	for {
		if s.current != nil && p.busy(s.current) {
			return false
		}
		switch {
		case len(s.kills) > 0:
			k := s.kills[0]
			s.kills, s.current = s.kills[1:], k.container
			if k.container.running() { // it may have ended by itself while its kill waited
				p.beginKill(k.container, killMessage(k), p.grace(k.container, k.probe), false, now)
			}
		case len(s.starts) > 0:
			next := s.starts[0]
			s.starts, s.current = s.starts[1:], next.container
			p.startContainer(next, now)
		default:
			return true
		}
	}
}

// busy reports whether the pass waits for a container: for its exit if it is being killed, else for
// its start.
func (p *Pod) busy(c *container) bool {
	return c.kill.active() || c.state == stateStarting || c.state == statePostStart
}

// plan decides what has to be done now. It changes nothing but the memory of what is initialized.
func (p *Pod) plan(now time.Time) *sync {
	s := &sync{}
	if p.Terminal() {
		return s
	}
	if all := p.planRestartAll(); all != nil {
		return all
	}
	if asked := p.planRestartAsked(now); asked != nil {
		return asked
	}
	if !p.initialized {
		p.planInit(s, now)
	} else {
		for _, c := range p.inits {
			if c.sidecar() {
				p.planSidecar(s, c, now)
			}
		}
	}
	if p.initialized {
		p.planRegular(s, now)
	}
	return s
}

// planInit takes the init containers in order: each waits for the one before to succeed, or to be
// started if it is a sidecar (R174). What a sidecar does after that holds nobody up. One that
// failed for good ends the whole Pod.
func (p *Pod) planInit(s *sync, now time.Time) {
	if p.initFailed() {
		s.killPod = p.anyAlive()
		return
	}
	for _, c := range p.inits {
		switch {
		case c.sidecar():
			p.planSidecar(s, c, now)
			c.initialized = c.initialized || c.started()
		case c.succeeded():
			c.initialized = true
		case !c.alive():
			s.start(c, now)
		}
		if !c.initialized {
			return
		}
	}
	p.initialized, p.changed = true, true
}

// planSidecar keeps a sidecar running, whatever the Pod's restart policy (R173).
func (p *Pod) planSidecar(s *sync, c *container, now time.Time) {
	if !c.alive() {
		s.start(c, now)
		return
	}
	if probe, failed := c.failedProbe(); failed {
		s.kills = append(s.kills, probeKill{c, probe, true})
		s.starts = append(s.starts, start{c, c.finished})
	}
}

// planRegular restarts what ended and kills what failed a probe. If nothing is kept and nothing
// starts, the whole Pod goes instead (R123).
func (p *Pod) planRegular(s *sync, now time.Time) {
	kept := 0
	for _, c := range p.regular {
		probe, failed := c.failedProbe()
		switch {
		case failed:
			again := restartable(p.pod.Spec.RestartPolicy, c.spec)
			s.kills = append(s.kills, probeKill{c, probe, again})
			if again {
				s.starts = append(s.starts, start{c, c.finished})
				kept++
			}
		case c.alive():
			kept++
		case c.state == stateWaiting || p.restarts(c):
			s.start(c, now)
			kept++
		}
	}
	if kept == 0 {
		*s = sync{killPod: p.anyAlive()}
	}
}

// start plans a start, unless a refused one is still waiting (R149).
func (s *sync) start(c *container, now time.Time) {
	if c.retryAt.After(now) {
		return
	}
	s.starts = append(s.starts, start{c, c.finished})
}

// startContainer asks for a new instance, or refuses to while the back-off lasts (R148, R149).
func (p *Pod) startContainer(s start, now time.Time) {
	c := s.container
	if !s.finished.IsZero() {
		if c.backoff.Refuse(s.finished, now) {
			p.refuse(c, now)
			return
		}
		c.backoff.Next(now)
	}
	c.state, c.retryAt, c.hookFailed = stateStarting, time.Time{}, false
	c.attempts++
	c.instance = fmt.Sprintf("%s-%s-%d", p.pod.UID, c.spec.Name, c.attempts)
	p.record(c, corev1.EventTypeNormal, "Pulled", fmt.Sprintf("Container image %q already present on machine and can be accessed by the pod", c.spec.Image))
	p.emit(StartContainer{c.spec.Name, c.instance, c.instances})
}

// forgetRetries clears the retries that are due and that nobody wants: a refused container may have
// turned out not to be restarted at all (R124).
func (p *Pod) forgetRetries(now time.Time) {
	for c := range p.containers() {
		if !c.retryAt.After(now) {
			c.retryAt = time.Time{}
		}
	}
}

func (p *Pod) refuse(c *container, now time.Time) {
	c.retryAt = c.backoff.retryAt(c.finished, now)
	p.record(c, corev1.EventTypeWarning, "BackOff",
		fmt.Sprintf("Back-off restarting failed container %s in pod %s", c.spec.Name, p.fullName()))
	c.waiting = &corev1.ContainerStateWaiting{
		Reason:  "CrashLoopBackOff",
		Message: fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", c.backoff.Delay(), c.spec.Name, p.fullName()),
	}
	p.changed = true
}

func (p *Pod) fullName() string {
	return fmt.Sprintf("%s_%s(%s)", p.pod.Name, p.pod.Namespace, p.pod.UID)
}

// killMessage words a probe kill (R119, R172).
func killMessage(k probeKill) string {
	probe := map[ProbeType]string{Liveness: "liveness", Startup: "startup"}[k.probe]
	switch name := k.container.spec.Name; {
	case k.probe == "":
		return fmt.Sprintf("Container %s is restarted as somebody asked for it", name)
	case k.container.init:
		return fmt.Sprintf("Init container %s failed %s probe", name, probe)
	case k.restart:
		return fmt.Sprintf("Container %s failed %s probe, will be restarted", name, probe)
	default:
		return fmt.Sprintf("Container %s failed %s probe", name, probe)
	}
}

// grace is the grace period of a kill outside a deletion: that of the probe that caused it, even if
// larger, else the Pod's (R129).
func (p *Pod) grace(c *container, probe ProbeType) time.Duration {
	if probe != "" {
		if own := probeOf(c.spec, probe).TerminationGracePeriodSeconds; own != nil {
			return time.Duration(*own) * time.Second
		}
	}
	if p.pod.Spec.TerminationGracePeriodSeconds == nil {
		return 30 * time.Second
	}
	return time.Duration(*p.pod.Spec.TerminationGracePeriodSeconds) * time.Second
}
