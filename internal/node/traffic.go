package node

import "k8s.io/apimachinery/pkg/types"

// Traffic carries requests to Pods, as package proxy does. The node informs it of what it knows
// before the EndpointSlices do. Its methods do not block and are safe for concurrent use.
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
	// Exited reports that the process that serves the Pod's requests has ended, and how: "exited on
	// SIGTERM".
	Exited(pod types.UID, how string)
}

// noTraffic is the Traffic of a node to whose Pods nobody routes requests.
type noTraffic struct{}

func (noTraffic) Withdraw(types.UID) {}

func (noTraffic) Admit(types.UID) {}

func (noTraffic) Drained(types.UID) <-chan struct{} { return closedChannel() }

func (noTraffic) Sent(types.UID) <-chan struct{} { return closedChannel() }

func (noTraffic) Exited(types.UID, string) {}

func closedChannel() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
