package lifecycle

import (
	"fmt"
	"time"
)

// minimumDeletionGrace gives preStop a chance even if the deletion's grace period is 0 (R164).
const minimumDeletionGrace = time.Second

// deletion is what is known of a Pod's deletion.
type deletion struct{ grace time.Duration }

// onDeleted begins the termination of the Pod (R158). A later one can only shorten the grace period (R162).
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

// killForDeletion ends a container for the Pod's deletion. A kill already in progress is only shortened: nothing is started
// after it (docs/differences.md, R126).
func (p *Pod) killForDeletion(c *container, now time.Time) {
	switch {
	case c.kill.active():
		c.kill.shorten(p.deletion.grace, now)
	case c.running() || c.state == statePostStart:
		p.beginKill(c, "Stopping container "+c.spec.Name, p.deletion.grace, c.sidecar(), now)
	}
}

// stopWorker ends a worker of a Pod that terminates; what it has in flight no longer counts (R158, R160).
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

// onAborted ends every process now. One that is just being started is killed as soon as it is there.
func (p *Pod) onAborted(now time.Time) {
	p.onDeleted(0, now)
	p.aborted = true
	for c := range p.containers() {
		if c.running() || c.state == statePostStart {
			p.forceKill(c)
		}
	}
}

// killAll ends the whole Pod outside a deletion, with the Pod's own grace period (R123, R137).
func (p *Pod) killAll(now time.Time) {
	for c := range p.containers() {
		if c.running() && !c.kill.active() {
			p.beginKill(c, fmt.Sprintf("Stopping container %s", c.spec.Name), p.grace(c, ""), c.sidecar(), now)
		}
	}
}

// mustWaitFor says whether a sidecar's stop signal has to wait: regular containers end first, then sidecars from last to first (R176).
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
