package lifecycle

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// minimumGrace is the least time between the stop signal and SIGKILL, whatever is left of the grace
// period (R133).
const minimumGrace = 2 * time.Second

// killStage is how far the kill sequence of a container has come.
type killStage string

const (
	killPreStop killStage = "PreStop"   // the hook runs
	killQueued  killStage = "Queued"    // a sidecar waits for those that must end before it (R176)
	killStopped killStage = "Signalled" // SIGTERM was sent
	killForced  killStage = "Forced"    // SIGKILL was sent; only the exit is waited for
)

// kill is the sequence that ends a running container: preStop, stop signal, grace, SIGKILL
// (R129–R135). The zero value is no kill.
type kill struct {
	stage    killStage
	began    time.Time
	grace    time.Duration
	deadline time.Time // when the stage ends by itself; zero while queued or forced
	ordered  bool      // the stop signal waits for its turn

	hook *corev1.LifecycleHandler // the preStop hook that runs
}

func (k *kill) active() bool { return k.stage != "" }

// Stopping reports whether a container is being stopped: its kill began and its exit did not come.
func (p *Pod) Stopping(container string) bool {
	for c := range p.containers() {
		if c.spec.Name == container {
			return c.kill.active()
		}
	}
	return false
}

// KillAt is when SIGKILL follows for a container that is being stopped, unless it ends before; zero
// if it is not being stopped, or was sent. It may come two seconds later: so long a signal has at
// least, and a sidecar waits for its turn (R133, R176).
func (p *Pod) KillAt(container string) time.Time {
	for c := range p.containers() {
		if c.spec.Name == container {
			return c.kill.forcedAt()
		}
	}
	return time.Time{}
}

// forcedAt is when SIGKILL is sent, as far as that is known; zero if it is not to be sent any more.
func (k *kill) forcedAt() time.Time {
	switch k.stage {
	case killPreStop, killQueued:
		return k.began.Add(max(k.grace, minimumGrace))
	case killStopped:
		return k.deadline
	}
	return time.Time{}
}

// remaining is what the whole seconds gone by have left of the grace period, and never less than
// the runtime's minimum (R131, R133).
func (k *kill) remaining(now time.Time) time.Duration {
	return max(k.grace-now.Sub(k.began).Truncate(time.Second), minimumGrace)
}

// shorten bounds a kill in progress by a deletion's grace period. The minimum after the signal
// stays.
func (k *kill) shorten(grace time.Duration, now time.Time) {
	left := now.Sub(k.began) + grace
	if left >= k.grace {
		return
	}
	k.grace = left
	switch k.stage {
	case killPreStop:
		k.deadline = now.Add(grace)
	case killStopped:
		k.deadline = earliest(k.deadline, now.Add(max(grace, minimumGrace)))
	}
}

// beginKill starts the kill sequence of a running container (R130).
func (p *Pod) beginKill(c *container, message string, grace time.Duration, ordered bool, now time.Time) {
	p.record(c, corev1.EventTypeNormal, "Killing", message)
	c.kill = kill{began: now, grace: grace, ordered: ordered}
	hook := c.preStop()
	if hook == nil || grace == 0 { // R134
		p.stopOrQueue(c, now)
		return
	}
	c.kill.stage, c.kill.deadline, c.kill.hook = killPreStop, now.Add(grace), hook
	p.emit(RunHook{c.spec.Name, c.instance, PreStop, hook})
}

// stopOrQueue ends the preStop stage.
func (p *Pod) stopOrQueue(c *container, now time.Time) {
	if c.kill.ordered && p.mustWaitFor(c) {
		c.kill.stage, c.kill.deadline = killQueued, time.Time{}
		return
	}
	c.kill.deadline = now.Add(c.kill.remaining(now))
	c.kill.stage = killStopped
	p.emit(StopContainer{c.spec.Name, c.instance, c.stopSignal()})
}

// killDue moves a kill on when its stage has run out of time.
func (p *Pod) killDue(c *container, now time.Time) {
	k := &c.kill
	if k.deadline.IsZero() || k.deadline.After(now) {
		return
	}
	switch k.stage {
	case killPreStop: // the hook is abandoned, not cancelled (R132)
		p.stopOrQueue(c, now)
	case killStopped:
		p.forceKill(c)
	}
}

func (p *Pod) forceKill(c *container) {
	c.kill.stage, c.kill.deadline = killForced, time.Time{}
	p.emit(KillContainer{c.spec.Name, c.instance})
}

// preStopDone goes on after the hook, however it ended (R141), unless it came after the grace
// period.
func (p *Pod) preStopDone(c *container, err error, now time.Time) {
	c.kill.hook = nil
	if err != nil {
		p.record(c, corev1.EventTypeWarning, "FailedPreStopHook", "PreStopHook failed")
	}
	if c.kill.stage == killPreStop {
		p.stopOrQueue(c, now)
	}
}

// cutPreStop says that a hook failed which the end of its container cut off: a command in it, or a
// request to it. A sleep cannot fail.
func (p *Pod) cutPreStop(c *container) {
	if h := c.kill.hook; h != nil && (h.Exec != nil || h.HTTPGet != nil) {
		p.record(c, corev1.EventTypeWarning, "FailedPreStopHook", "PreStopHook failed")
	}
}
