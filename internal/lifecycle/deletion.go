package lifecycle

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// minimumDeletionGrace gives preStop a chance even if the deletion's grace period is 0 (R164).
const minimumDeletionGrace = time.Second

// deletion is what is known of a Pod's deletion.
type deletion struct{ grace time.Duration }

// onDeleted begins the termination of the Pod (R158). A later one can only shorten the grace period
// (R162).
func (p *Pod) onDeleted(grace time.Duration, now time.Time) {
	grace = max(grace, minimumDeletionGrace)
	if p.deletion != nil && grace >= p.deletion.grace {
		return
	}
	first := p.deletion == nil
	p.deletion, p.sync, p.changed = &deletion{grace}, nil, true
	for c := range p.containers() {
		if first && !c.init {
			p.stopWorker(c, Liveness)
			p.stopWorker(c, Startup)
		}
		p.killForDeletion(c, now)
	}
}

// killForDeletion ends a container for the Pod's deletion. A kill already in progress is only
// shortened: nothing is started after it (docs/differences.md, R126).
func (p *Pod) killForDeletion(c *container, now time.Time) {
	switch {
	case !c.running() && c.state != statePostStart: // nothing to kill, yet
	case p.aborted:
		p.abort(c)
	case c.kill.active():
		c.kill.shorten(p.deletion.grace, now)
	default:
		p.beginKill(c, stopMessage(c), p.deletion.grace, c.sidecar(), now)
	}
}

// stopWorker ends a worker of a Pod that terminates; what it has in flight no longer counts (R158,
// R160).
func (p *Pod) stopWorker(c *container, t ProbeType) {
	w := c.worker(t)
	if w == nil {
		return
	}
	w.stop()
	if w.cancel() {
		p.emit(CancelProbe{c.spec.Name, c.instance, t})
	}
}

// onAborted ends every process now. One that is just being started is killed as soon as it is
// there.
func (p *Pod) onAborted(now time.Time) {
	p.aborted = true
	p.onDeleted(0, now)
	for c := range p.containers() { // a deletion that changes no grace period left them alone
		p.killForDeletion(c, now)
	}
}

func (p *Pod) abort(c *container) {
	if !c.kill.active() {
		p.record(c, corev1.EventTypeNormal, "Killing", stopMessage(c))
	}
	if c.kill.stage != killForced {
		p.forceKill(c)
	}
}

// stopMessage is what a kill says that no probe caused (R137).
func stopMessage(c *container) string { return "Stopping container " + c.spec.Name }

// killAll ends the whole Pod outside a deletion, with the Pod's own grace period (R123, R137).
func (p *Pod) killAll(now time.Time) {
	for c := range p.containers() {
		if c.running() && !c.kill.active() {
			p.beginKill(c, stopMessage(c), p.grace(c, ""), c.sidecar(), now)
		}
	}
}

// mustWaitFor reports whether a sidecar's stop signal has to wait: regular containers end first,
// then sidecars from last to first (R176).
func (p *Pod) mustWaitFor(sidecar *container) bool {
	for c := range p.containers() {
		if c.alive() && (!c.sidecar() || c.index > sidecar.index) {
			return true
		}
	}
	return false
}

// releaseQueued signals the sidecars whose turn has come.
func (p *Pod) releaseQueued(now time.Time) {
	for _, c := range p.inits {
		if c.kill.stage == killQueued && !p.mustWaitFor(c) {
			p.stopOrQueue(c, now)
		}
	}
}
