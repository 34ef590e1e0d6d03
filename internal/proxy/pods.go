package proxy

import (
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// pods holds every Pod that the router or the node spoke of.
type pods struct {
	report func(l *life, requests, connections int)

	mu    sync.Mutex // guards byUID
	byUID map[types.UID]*pod
}

// get finds a Pod, or begins to know it. name may be nil.
func (p *pods) get(uid types.UID, name *types.NamespacedName) *pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.byUID[uid]
	if known == nil {
		known = &pod{uid: uid}
		known.life.Store(newLife(known, p.report))
		p.byUID[uid] = known
	}
	if name != nil && known.name.Load() == nil {
		known.name.Store(name)
	}
	return known
}

// find returns nil for a Pod that nobody spoke of.
func (p *pods) find(uid types.UID) *pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byUID[uid]
}

// forget lets go of a Pod that was deleted. Requests in flight at it still count for its Events.
func (p *pods) forget(uid types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byUID, uid)
}

// keep forgets all Pods but those that exist.
func (p *pods) keep(existing map[types.UID]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.byUID, func(uid types.UID, _ *pod) bool { return !existing[uid] })
}

// admit undoes withdraw and exit.
func (p *pods) admit(uid types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.byUID[uid]
	if known == nil {
		return
	}
	if l := known.life.Load(); l.has(closed) {
		// the old one is left to those who are still inside
		known.life.Store(newLife(known, p.report))
	} else {
		l.clear(withdrawn)
	}
}

// Withdraw takes a Pod out of all routes: it is about to be killed, or its process died. Once it
// has returned no new request goes to the Pod, as long as another one can be used; if it is the
// last one, it is used like an endpoint that is serving and terminating (R198), until Exited, and
// not at all if the Service has the annotation probity.run/hold. It takes microseconds and never
// blocks on requests. A Pod may be withdrawn before its endpoints are known.
func (p *Proxy) Withdraw(pod types.UID) { p.pods.get(pod, nil).life.Load().set(withdrawn) }

// Admit takes Withdraw and Exited back: the Pod's endpoints count again as the EndpointSlices say,
// which may lag. So it is to be called when the Pod has become ready again, not when a process
// starts. After Exited, what was counted before belongs to the process that ended.
func (p *Proxy) Admit(pod types.UID) {
	p.pods.admit(pod)
	p.wakeHeld()
}

// InFlight is how many requests are in flight at a Pod, through all Services: from the choice of
// the Pod to the last byte of the answer. Upgraded and TCP connections count as one each.
func (p *Proxy) InFlight(pod types.UID) int {
	if known := p.pods.find(pod); known != nil {
		return known.life.Load().count()
	}
	return 0
}

// Drained returns a channel that is closed as soon as no request is in flight at a Pod, which may
// be at once. It is meant to be called after Withdraw and promises nothing about a Pod that gets
// new requests.
func (p *Proxy) Drained(pod types.UID) <-chan struct{} {
	if known := p.pods.find(pod); known != nil {
		return known.life.Load().wait()
	}
	return done()
}

// Sent returns a channel that is closed as soon as something of every request in flight at a Pod
// was written to it, which may be at once. Like Drained it is meant to be called after Withdraw.
func (p *Proxy) Sent(pod types.UID) <-chan struct{} {
	if known := p.pods.find(pod); known != nil {
		return known.life.Load().waitSent()
	}
	return done()
}

// done is a channel that is closed.
func done() <-chan struct{} {
	none := make(chan struct{})
	close(none)
	return none
}

// Exited says that the Pod's serving process has ended, and how, as in "exited with code 0 on
// SIGTERM": the Pod gets no request at all until Admit. When the last request that was in flight
// has been decided, and clients lost some, a Warning Event on the Pod tells their number. Requests
// count that broke in the second before, too, because connections break before the end of a process
// is known; those that another replica answered do not.
func (p *Proxy) Exited(pod types.UID, how string) { p.pods.get(pod, nil).life.Load().exit(how) }

// reportLoss records the Event of [Proxy.Exited].
func (p *Proxy) reportLoss(l *life, requests, connections int) {
	name := l.pod.name.Load()
	if name == nil {
		return // nothing was routed to it, so nothing was lost
	}
	p.record(reference(*name, l.pod.uid), corev1.EventTypeWarning, "RequestsLost", lossMessage(name.Name, l.how, requests, connections))
}
