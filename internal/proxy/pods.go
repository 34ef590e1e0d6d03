package proxy

import (
	"maps"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
)

// pod is a Pod as the proxy knows it, from when an EndpointSlice or the node first mentions it. Its
// process may be restarted: what is in flight, and the flags that the node sets, belong to the
// current instance.
type pod struct {
	uid      types.UID
	name     atomic.Pointer[types.NamespacedName] // nil until an EndpointSlice has it
	instance atomic.Pointer[instance]             // the current one
}

// podRegistry holds every Pod that an EndpointSlice or the node mentioned.
type podRegistry struct {
	reportLoss func(inst *instance, requests, connections int)

	mu    sync.Mutex // guards byUID
	byUID map[types.UID]*pod
}

// get finds a Pod, or adds it. name may be nil.
func (p *podRegistry) get(uid types.UID, name *types.NamespacedName) *pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.byUID[uid]
	if known == nil {
		known = &pod{uid: uid}
		known.instance.Store(newInstance(known, p.reportLoss))
		p.byUID[uid] = known
	}
	if name != nil && known.name.Load() == nil {
		known.name.Store(name)
	}
	return known
}

// find returns nil for a Pod that is not there.
func (p *podRegistry) find(uid types.UID) *pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byUID[uid]
}

// forget removes a Pod that was deleted. What happens to requests that are in flight at it is still
// reported.
func (p *podRegistry) forget(uid types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byUID, uid)
}

// keepOnly forgets all Pods but those that exist.
func (p *podRegistry) keepOnly(existing map[types.UID]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.byUID, func(uid types.UID, _ *pod) bool { return !existing[uid] })
}

// admit undoes [Proxy.Withdraw], and after [Proxy.Exited] begins a new instance.
func (p *podRegistry) admit(uid types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.byUID[uid]
	if known == nil {
		return
	}
	if inst := known.instance.Load(); inst.inFlight.hasAny(flagClosed) {
		// requests that are still in flight keep the old one
		known.instance.Store(newInstance(known, p.reportLoss))
	} else {
		inst.inFlight.clearFlags(flagWithdrawn)
	}
}
