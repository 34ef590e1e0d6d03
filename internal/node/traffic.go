package node

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
)

// Traffic carries requests to Pods, as package proxy does. The node tells it what it knows before
// the EndpointSlices do. Its methods do not block and are safe for concurrent use.
type Traffic interface {
	// Withdraw takes a Pod out of the routes: when it returns, no new request goes there while
	// there is another replica.
	Withdraw(pod types.UID)
	// Admit undoes Withdraw and Exited: the EndpointSlices count again.
	Admit(pod types.UID)
	// Drained is closed when no request is in flight at the Pod.
	Drained(pod types.UID) <-chan struct{}
	// Sent is closed when something of every request in flight was written to the Pod.
	Sent(pod types.UID) <-chan struct{}
	// Exited says that the process that serves the Pod's requests has ended, and how: "exited on
	// SIGTERM".
	Exited(pod types.UID, how string)
}

// noTraffic is the Traffic of a node whose Pods nobody routes to.
type noTraffic struct{}

func (noTraffic) Withdraw(types.UID) {}

func (noTraffic) Admit(types.UID) {}

func (noTraffic) Drained(types.UID) <-chan struct{} { return done() }

func (noTraffic) Sent(types.UID) <-chan struct{} { return done() }

func done() <-chan struct{} {
	over := make(chan struct{})
	close(over)
	return over
}

func (noTraffic) Exited(types.UID, string) {}

// withdraw takes the Pod out of the routes because an instance is about to be stopped
// (ARCHITECTURE.md, A request's way).
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

// drained calls do when requests in flight need not be waited for any more. It takes no longer than
// the instance lives.
func (r *runner) drained(inst *instance, do func()) {
	idle := r.node.opts.Traffic.Drained(r.pod.UID)
	patience, granted := r.drainTime()
	select {
	case <-idle:
		patience = 0
	default:
	}
	if patience == 0 {
		do()
		return
	}
	var sent <-chan struct{}
	if !granted {
		sent = r.node.opts.Traffic.Sent(r.pod.UID)
	}
	r.running.Go(func() {
		await(inst.ctx, idle, sent, patience)
		r.post(do)
	})
}

// await returns when no request is in flight, or all of them were sent and had time to arrive, or
// the patience is over.
func await(ctx context.Context, idle, sent <-chan struct{}, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var arrived <-chan time.Time
	for {
		select {
		case <-sent:
			sent, arrived = nil, time.After(arrivalTime)
		case <-idle:
			return
		case <-arrived:
			return
		case <-ctx.Done():
			return
		}
	}
}

const (
	// arrivalTime is how long the stop signal waits for requests that were sent before the Pod left
	// the routes. A server that ends gracefully answers what it has read, but closes a connection
	// on which a request has only just come.
	arrivalTime = 250 * time.Millisecond
	// arrivalLimit bounds the wait for those that were routed to the Pod and not sent yet, because
	// the machine has no time for them.
	arrivalLimit = 2 * time.Second
)

// drainTime is what the Pod's annotation grants to requests in flight; without one, the longest
// that they may take to arrive.
func (r *runner) drainTime() (patience time.Duration, granted bool) {
	value, ok := r.pod.Annotations[manifest.AnnotationDrain]
	if !ok {
		return arrivalLimit, false
	}
	patience, err := time.ParseDuration(value)
	if err != nil {
		r.log.Error("Cannot wait for requests in flight", "annotation", manifest.AnnotationDrain, "error", err)
	}
	return patience, true
}
