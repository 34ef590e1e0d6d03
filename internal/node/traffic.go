package node

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
)

// Traffic carries requests to Pods, as package proxy does. The node tells it what it knows before the EndpointSlices do. Its methods do not block and
// are safe for concurrent use.
type Traffic interface {
	// Withdraw takes a Pod out of the routes: when it returns, no new request goes there while there is another replica.
	Withdraw(pod types.UID)
	// Admit undoes Withdraw and Exited: the EndpointSlices count again.
	Admit(pod types.UID)
	// Drained is closed when no request is in flight at the Pod.
	Drained(pod types.UID) <-chan struct{}
	// Exited says that the process that serves the Pod's requests has ended, and how: "exited on SIGTERM".
	Exited(pod types.UID, how string)
}

// noTraffic is the Traffic of a node whose Pods nobody routes to.
type noTraffic struct{}

func (noTraffic) Withdraw(types.UID) {}

func (noTraffic) Admit(types.UID) {}

func (noTraffic) Drained(types.UID) <-chan struct{} {
	drained := make(chan struct{})
	close(drained)
	return drained
}

func (noTraffic) Exited(types.UID, string) {}

// withdraw takes the Pod out of the routes because an instance is about to be stopped (DESIGN section 5).
func (r *runner) withdraw(inst *instance) {
	r.leaving[inst.id] = true
	r.withdrawn = true
	r.node.opts.Traffic.Withdraw(r.pod.UID)
}

// left says that an instance is gone.
func (r *runner) left(c *corev1.Container, inst *instance, exit process.Exit) {
	r.withdraw(inst)
	delete(r.leaving, inst.id)
	if serves(&r.pod.Spec, c) {
		r.node.opts.Traffic.Exited(r.pod.UID, how(inst, exit))
	}
}

// admit lets requests in again once the Pod is Ready and nothing of it is being stopped.
func (r *runner) admit(status *corev1.PodStatus) {
	if !r.withdrawn || len(r.leaving) > 0 || !isReady(status) {
		return
	}
	r.withdrawn = false
	r.node.opts.Traffic.Admit(r.pod.UID)
}

func isReady(status *corev1.PodStatus) bool {
	for _, c := range status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// serves says whether requests to a Pod are answered by a container: one with ports, if any has.
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

// how words the end of an instance.
func how(inst *instance, exit process.Exit) string {
	switch {
	case exit.Signal != 0 && exit.Signal != inst.signal:
		return "was killed by " + unix.SignalName(exit.Signal)
	case inst.signal != 0:
		return "exited on " + unix.SignalName(inst.signal)
	}
	return fmt.Sprintf("exited with code %d", exit.Code)
}

// drained calls do when no request is in flight any more, or when the time that the annotation grants is over. It takes no longer than the instance
// lives.
func (r *runner) drained(inst *instance, do func()) {
	patience := r.drainTime()
	idle := r.node.opts.Traffic.Drained(r.pod.UID)
	select {
	case <-idle:
		patience = 0
	default:
	}
	if patience == 0 {
		do()
		return
	}
	r.running.Go(func() {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-idle:
		case <-timer.C:
		case <-inst.ctx.Done():
		}
		r.post(do)
	})
}

// arrivalTime is how long the stop signal waits for requests that were on their way when the Pod left the routes. A server that ends gracefully answers
// what it has read, but closes a connection on which a request has only just come.
const arrivalTime = 250 * time.Millisecond

// drainTime is what the Pod's annotation grants to requests in flight; without one, enough to arrive.
func (r *runner) drainTime() time.Duration {
	value, ok := r.pod.Annotations[manifest.AnnotationDrain]
	if !ok {
		return arrivalTime
	}
	patience, err := time.ParseDuration(value)
	if err != nil {
		r.log.Error("Cannot wait for requests in flight", "annotation", manifest.AnnotationDrain, "error", err)
	}
	return patience
}
