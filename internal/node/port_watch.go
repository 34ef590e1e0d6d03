package node

import (
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// portWatchPeriod and portWatchTries bound the search for a program that ignores PORT and has no
// probe that would notice.
const (
	portWatchPeriod = time.Second
	portWatchTries  = 60
)

// portWatch notices that a program ignores PORT, and makes its declared port the Pod's port.
type portWatch struct {
	loop       *loop
	owners     portOwners
	allocation *allocation
	object     *podObject
	adopted    func() // called on the loop's goroutine after a port was adopted
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
		w.adopted()
	})
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
		for range portWatchTries {
			if len(pending) == 0 || interrupted(w.loop.ctx.Done(), inst.process.Done(), portWatchPeriod) {
				return
			}
			maps.DeleteFunc(pending, func(declared int32, private int) bool { return w.open(declared, private, owns) })
		}
	})
}

// open reports whether the Pod listens on a port, private or declared. The latter is adopted.
func (w *portWatch) open(declared int32, private int, owns ownsFunc) bool {
	if owns.own(private) {
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
