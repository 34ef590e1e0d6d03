package node

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
)

// podTraffic keeps requests away from a Pod of which an instance is being stopped (ARCHITECTURE.md,
// A request's way).
type podTraffic struct {
	loop      *loop
	pod       *corev1.Pod
	traffic   Traffic
	log       *slog.Logger
	stopping  map[string]bool // instances that are being stopped, by id
	withdrawn bool            // until it is admitted again
}

// withdraw takes the Pod out of the routes because an instance is about to be stopped.
func (t *podTraffic) withdraw(inst *instance) {
	t.stopping[inst.id] = true
	t.withdrawn = true
	t.withdrawNow()
}

// withdrawNow takes the Pod out of the routes without the loop's goroutine, which has to call
// exited afterwards. Any goroutine may call it.
func (t *podTraffic) withdrawNow() { t.traffic.Withdraw(t.pod.UID) }

// starting leaves the declared ports to a program that is about to be started. As notStarted and
// ended it is called by the instance's own goroutine.
func (t *podTraffic) starting(container string) { t.traffic.Starting(t.pod, container) }

func (t *podTraffic) notStarted(container string) { t.traffic.NotStarted(t.pod, container) }

func (t *podTraffic) ended(container string, exit process.Exit) {
	t.traffic.Ended(t.pod, container, hasFailed(exit))
}

// hasFailed reports whether an end is not that of a program that was done.
func hasFailed(exit process.Exit) bool { return exit.Code != 0 || exit.Signal != 0 }

// exited reports that an instance is gone.
func (t *podTraffic) exited(c *corev1.Container, inst *instance, exit process.Exit) {
	t.withdraw(inst)
	delete(t.stopping, inst.id)
	if serves(&t.pod.Spec, c) {
		t.traffic.Exited(t.pod.UID, exitText(exit, inst.signal))
	}
}

// admit lets requests in again once the Pod is Ready and nothing of it is being stopped.
func (t *podTraffic) admit(ready bool) {
	if !t.withdrawn || len(t.stopping) > 0 || !ready {
		return
	}
	t.withdrawn = false
	t.traffic.Admit(t.pod.UID)
}

// drain calls do when requests in flight need not be waited for any more. It takes no longer than
// the instance lives.
func (t *podTraffic) drain(inst *instance, do func()) {
	idle := t.traffic.Drained(t.pod.UID)
	patience, granted, err := drainTime(t.pod.Annotations)
	if err != nil {
		t.log.Error("Cannot wait for requests in flight", "annotation", manifest.AnnotationDrain, "error", err)
	}
	select {
	case <-idle:
		patience = 0
	default:
	}
	if patience == 0 {
		do()
		return
	}
	var sent <-chan struct{} // nil if what was sent is to be answered, too
	if !granted {
		sent = t.traffic.Sent(t.pod.UID)
	}
	t.loop.start(func() {
		awaitDrained(inst.ctx, idle, sent, patience)
		t.loop.post(do)
	})
}

// serves reports whether requests to a Pod are answered by a container: one with ports, if any has.
func serves(spec *corev1.PodSpec, c *corev1.Container) bool {
	if len(c.Ports) > 0 {
		return true
	}
	for _, other := range lifecycle.Containers(spec) {
		if len(other.Ports) > 0 {
			return false
		}
	}
	return true
}

// exitText puts the end of a process into words. stop is the stop signal that it was sent, or 0.
func exitText(exit process.Exit, stop unix.Signal) string {
	switch {
	case exit.Signal != 0 && exit.Signal != stop:
		return "was killed by " + diagnosis.SignalName(exit.Signal)
	case stop != 0:
		return "exited on " + diagnosis.SignalName(stop)
	}
	return fmt.Sprintf("exited with code %d", exit.Code)
}
