package proxy

import (
	"net/netip"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// LedgerEntry is what became of one request, or of one TCP connection.
type LedgerEntry struct {
	// Service and Port are where it came to, Client is who sent it.
	Service types.NamespacedName
	Port    int32
	Client  netip.AddrPort
	// Pod is the replica that it went to last, and UID its UID; empty if it went to none.
	Pod types.NamespacedName
	UID types.UID
	// Began is when it came, Took how long it lasted.
	Began time.Time
	Took  time.Duration
	// Answered reports whether the client got all that the replica answered, whatever that was.
	Answered bool
}

// note tells the ledger of a request that has ended.
func (rr *routedRequest) note(outcome requestOutcome) {
	write := rr.routing.Ledger
	if write == nil {
		return
	}
	entry := LedgerEntry{
		Service: rr.port.key.service, Port: rr.port.key.number, Client: rr.client, Began: rr.began, Took: time.Since(rr.began),
		Answered: outcome == requestServed,
	}
	if rr.last != nil {
		entry.Pod, entry.UID = rr.last.name, rr.last.uid
	}
	write(entry)
}

// wantsClient reports whether somebody wants to know who sends the requests of a port.
func (sp *servicePort) wantsClient() bool {
	return sp.proxy.routing.Load().Ledger != nil || sp.table.Load().affinityTimeout > 0
}
