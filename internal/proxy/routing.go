package proxy

import "time"

// Routing is how requests get from Services to Pods, and who hears of them. The zero value is the
// proxy's own way: requests are kept from replicas that cannot answer them, as the package comment
// says.
type Routing struct {
	// AsCluster, if not nil, routes as a cluster would.
	AsCluster *AsCluster
	// Ledger, if not nil, gets each request when it has ended. It is called from many goroutines
	// and must not wait.
	Ledger func(LedgerEntry)
}

// SetRouting has the requests that come from now on routed in another way, and returns the way
// until now. Those that are in flight go on as they began, and their ends are told to the ledger
// that there was then.
func (p *Proxy) SetRouting(r Routing) (before Routing) {
	if old := p.routing.Swap(&r); old != nil {
		before = *old
	}
	return before
}

// endpointDelay is how long a change of an EndpointSlice takes that comes now.
func (p *Proxy) endpointDelay() time.Duration {
	if as := p.routing.Load().AsCluster; as != nil {
		return as.EndpointDelay
	}
	return 0
}
