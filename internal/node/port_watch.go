package node

import (
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
)

// The search for where a program listens, which a probe may not find out: first often, then every
// portWatchPeriod, and portWatchTries times in all.
const (
	firstPortWatch  = 50 * time.Millisecond
	portWatchPeriod = time.Second
	portWatchTries  = 60
)

// portWatch notices whether a program heeds PORT: then its declared port is free for a Service; if
// it does not, its declared port becomes the Pod's port.
type portWatch struct {
	loop       *loop
	owners     portOwners
	holders    holders
	allocation *allocation
	object     *podObject
	changed    func() // called on the loop's goroutine after a port was adopted or confirmed
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

// confirm notes that the Pod listens on the private port of a declared one. It belongs to the
// loop's goroutine.
func (w *portWatch) confirm(declared int32, port int) {
	if w.allocation.ports.confirm(declared, port) {
		w.changed()
	}
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
	pending := w.allocation.ports.unconfirmed()
	if len(pending) == 0 {
		return
	}
	owns := w.owners.among(running.processes())
	w.loop.start(func() {
		wait := firstPortWatch
		for range portWatchTries {
			if len(pending) == 0 || interrupted(w.loop.ctx.Done(), inst.process.Done(), wait) {
				return
			}
			wait = min(2*wait, portWatchPeriod)
			maps.DeleteFunc(pending, func(declared int32, private int) bool { return w.open(declared, private, owns) })
		}
	})
}

// open reports whether the Pod listens on a port, private or declared. The latter is adopted.
func (w *portWatch) open(declared int32, private int, owns ownsFunc) bool {
	if owns.own(private) {
		w.loop.post(func() { w.confirm(declared, private) })
		return true
	}
	if !owns.own(int(declared)) {
		return false
	}
	w.adopt(declared)
	return true
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
