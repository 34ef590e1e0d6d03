package node

import (
	"fmt"
	"maps"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probe"
)

// The search for where a program listens, which a probe may not find out: often at first, because
// a Service waits for it, and then now and then, as long as the program runs.
const (
	firstPortWatch  = 50 * time.Millisecond
	oftenPortWatch  = 10 * time.Second
	portWatchPeriod = time.Second
)

// portWatch notices where a program listens. If it heeds PORT its declared port is free for a
// Service; if it does not, its declared port becomes the Pod's port.
type portWatch struct {
	loop       *loop
	owners     portOwners
	grid       grid
	holders    holders
	allocation *allocation
	object     *podObject
	changed    func() // called on the loop's goroutine after something was seen for the first time
}

// adopt posts that a declared port is the Pod's port after all. Any goroutine may call it.
func (w *portWatch) adopt(declared int32) {
	w.loop.post(func() {
		private, ok := w.allocation.ports.adopt(declared)
		if !ok {
			return // it was noticed before
		}
		w.object.explain("", corev1.EventTypeNormal, "PortIgnored", fmt.Sprintf("The program listens on containerPort %d although PORT told it %d, so %d is the "+
			"Pod's port; a second replica of it cannot run on this machine", declared, private, declared))
		w.changed()
	})
}

// seen notes that the Pod listens on a port, private or declared, by a socket that is bound to an
// address. It belongs to the loop's goroutine.
func (w *portWatch) seen(declared int32, port int, bound netip.Addr) {
	ports := w.allocation.ports
	if ports.confirm(declared, port) || declared != 0 && int(declared) == port && ports.bind(declared, bound) {
		w.changed()
	}
}

// find is where a target's socket is in the Pod, for a probe or a hook that goes there now: see
// [locate]. It notes what it saw, and belongs to the loop's goroutine.
func (w *portWatch) find(to target, running instances) (target, *probe.Result) {
	if to.foreign {
		return to, nil
	}
	found, verdict := locate(to, w.owners.among(running.processes()))
	if found.adopted {
		w.adopt(to.declared)
	}
	if verdict == nil && found.own {
		w.seen(to.declared, found.port, found.bound)
	}
	return found.target, verdict
}

// renew takes other private ports for those of a container, which has failed, that somebody else
// listens on: it would fail again and again. A container that still runs was told the old ones, so
// then they stay. It belongs to the loop's goroutine.
func (w *portWatch) renew(c *corev1.Container, running instances) {
	owns := w.owners.among(running.processes())
	for _, p := range c.Ports {
		private := w.allocation.ports.of(p.ContainerPort)
		if private == int(p.ContainerPort) {
			continue
		}
		owner, err := owns(private)
		if err != nil || owner.Owner != process.Stranger {
			continue
		}
		taken := fmt.Sprintf("Private port %d of containerPort %d is taken by %s", private, p.ContainerPort, w.holders.describe(owner))
		advice := "end that process, as the Pod's other containers were told this port"
		if len(running) == 0 {
			next, err := w.allocation.renewPort(p.ContainerPort)
			if err == nil {
				advice = fmt.Sprintf("from the next start on it is %d", next)
				w.changed()
			} else {
				advice = fmt.Sprintf("end that process, as there is no other port: %v", err)
			}
		}
		w.object.explain(fieldPath(&w.allocation.pod.Spec, c.Name), corev1.EventTypeWarning, "PortInUse", taken+": "+advice)
	}
}

// watch asks who listens on the ports of the Pod, until every one is open or the instance has
// ended.
func (w *portWatch) watch(inst *instance, running instances) {
	pending := w.allocation.ports.unseen()
	if len(pending) == 0 {
		return
	}
	owns := w.owners.among(running.processes())
	w.loop.start(func() {
		for started := time.Now(); len(pending) > 0; {
			now := time.Now()
			wait := firstPortWatch
			if now.Sub(started) >= oftenPortWatch {
				wait = portWatchPeriod
			}
			// on the grid, so that one question about sockets serves all Pods
			next := w.grid.wait(now.Add(wait-gridStep+time.Nanosecond), now)
			if interrupted(w.loop.ctx.Done(), inst.process.Done(), next) {
				return
			}
			maps.DeleteFunc(pending, func(declared int32, private int) bool { return w.open(declared, private, owns) })
		}
	})
}

// open reports whether the Pod listens on a port, private or declared. The latter is adopted.
func (w *portWatch) open(declared int32, private int, owns ownsFunc) bool {
	if bound, ok := owns.own(private); ok {
		w.loop.post(func() { w.seen(declared, private, bound) })
		return true
	}
	if private == int(declared) {
		return false
	}
	bound, ok := owns.own(int(declared))
	if ok {
		w.adopt(declared)
		w.loop.post(func() { w.seen(declared, int(declared), bound) })
	}
	return ok
}

// interrupted sleeps and reports whether that was cut short.
func interrupted(pod, process <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-pod:
	case <-process:
	}
	return true
}
