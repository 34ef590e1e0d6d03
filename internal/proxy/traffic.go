package proxy

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// This file is what the node says about Pods before the EndpointSlices do, and what it asks: the
// interface Traffic of package node.

// Withdraw takes a Pod out of all routes, because it is about to be killed, or its process died.
// When Withdraw has returned, no new request goes to the Pod as long as another one can be used. If
// it is the last one, it is used until Exited, like an endpoint that is serving and terminating
// (R198); but not at all if the Service has the annotation probity.run/hold. Withdraw takes
// microseconds and waits for no request. A Pod may be withdrawn before its endpoints are known.
func (p *Proxy) Withdraw(pod types.UID) {
	p.pods.get(pod, nil).instance.Load().inFlight.setFlags(flagWithdrawn)
}

// Admit undoes Withdraw and Exited: the Pod's endpoints count again as the EndpointSlices say,
// which may be late. So it is to be called when the Pod has become ready again, not when a process
// starts. After Exited, what was counted before belongs to the process that ended.
func (p *Proxy) Admit(pod types.UID) {
	p.pods.admit(pod)
	p.wakeHeld()
}

// InFlight is how many requests are in flight at a Pod, through all Services: from the choice of
// its endpoint to the last byte of the answer. An upgraded or a TCP connection counts as one.
func (p *Proxy) InFlight(pod types.UID) int {
	if known := p.pods.find(pod); known != nil {
		return known.instance.Load().inFlight.count()
	}
	return 0
}

// Drained returns a channel that is closed as soon as no request is in flight at a Pod, which may
// be at once. It is meant to be called after Withdraw: it promises nothing about a Pod that still
// gets new requests. As in a cluster, where a kubelet knows nothing of requests, it is closed at
// once with [AsCluster].
func (p *Proxy) Drained(pod types.UID) <-chan struct{} {
	if known := p.pods.find(pod); known != nil && p.routing.Load().AsCluster == nil {
		return known.instance.Load().whenDrained()
	}
	return closedChannel()
}

// Sent returns a channel that is closed as soon as something of every request in flight at a Pod
// was written to it, which may be at once. Like Drained it is meant to be called after Withdraw.
func (p *Proxy) Sent(pod types.UID) <-chan struct{} {
	if known := p.pods.find(pod); known != nil {
		return known.instance.Load().whenSent()
	}
	return closedChannel()
}

// closedChannel is what to wait for if there is nothing to wait for.
func closedChannel() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// Exited tells the proxy that the Pod's serving process has ended, and how, as in "exited with code
// 0 on SIGTERM". The Pod gets no request at all until Admit. When it is decided of each request
// that was in flight whether it is lost, and some are, a Warning Event on the Pod says how many.
// Requests that broke in the second before count, too, because connections break before the end of
// a process is known. Requests that another endpoint answered do not count.
func (p *Proxy) Exited(pod types.UID, how string) { p.pods.get(pod, nil).instance.Load().end(how) }

// reportLoss records the Event of [Proxy.Exited].
func (p *Proxy) reportLoss(inst *instance, requests, connections int) {
	name := inst.pod.name.Load()
	if name == nil {
		return // nothing was routed to it, so nothing was lost
	}
	p.record(podReference(*name, inst.pod.uid), corev1.EventTypeWarning, "RequestsLost", lossMessage(name.Name, inst.exit, requests, connections))
}

// podReference is what an Event about a Pod refers to.
func podReference(name types.NamespacedName, uid types.UID) corev1.ObjectReference {
	return corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: name.Namespace, Name: name.Name, UID: uid}
}
