package proxy

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// State is what the proxy does at one time, by Service and port. Numbers count from the start of
// the listener, those of an endpoint from when it was first seen.
type State struct {
	Ports []PortState
}

// PortState is one Service port.
type PortState struct {
	// Service is its namespace and name, Port its number there.
	Service types.NamespacedName
	Port    int32
	// Address is where it listens, host:port.
	Address string
	// Protocol is tcp, http or h2c.
	Protocol string
	// Requests so far; connections with TCP.
	Requests uint64
	// InFlight is how many are served or wait now.
	InFlight int
	// Waiting is how many of them are held because nothing is ready.
	Waiting int
	// Retries is how many attempts followed a failed one.
	Retries uint64
	// Failed is how many got no answer of a replica.
	Failed uint64
	// Gone is how many clients went away before the answer was complete.
	Gone      uint64
	Endpoints []EndpointState
}

// EndpointState is one endpoint of a Service port.
type EndpointState struct {
	Pod     types.NamespacedName
	UID     types.UID
	Address string
	// Ready is what the EndpointSlice says; if not, it is serving and terminating.
	Ready bool
	// Withdrawn by the node. Exited: its process has ended.
	Withdrawn, Exited bool
	// Ejected: it refused a connection and did not accept one since. This is no probe's result and
	// not in the Pod's status.
	Ejected bool
	// Requests counts attempts, InFlight those that are not over.
	Requests uint64
	InFlight int
	// Failures counts attempts that failed, as refused, timeout, broken (before the answer) and
	// aborted (in it).
	Failures  map[string]uint64
	Ejections uint64
	// Lost is how many requests that failed here no other replica answered.
	Lost uint64
}

// State returns a snapshot. It is a little torn, as nothing stops for it.
func (p *Proxy) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	var s State
	for _, o := range p.ports {
		s.Ports = append(s.Ports, o.state())
	}
	slices.SortFunc(s.Ports, func(a, b PortState) int {
		if c := compareNames(a.Service, b.Service); c != 0 {
			return c
		}
		return int(a.Port - b.Port)
	})
	return s
}

func (o *port) state() PortState {
	t := o.table.Load()
	s := PortState{
		Service: o.key.service, Port: o.key.number, Address: o.address(), Protocol: t.protocol.String(),
		Requests: o.requests.Load(), InFlight: o.gate.count(), Waiting: int(o.waiting.Load()),
		Retries: o.retries.Load(), Failed: o.failed.Load(), Gone: o.gone.Load(),
	}
	for _, e := range t.ready {
		s.Endpoints = append(s.Endpoints, e.state(true))
	}
	for _, e := range t.terminating {
		s.Endpoints = append(s.Endpoints, e.state(false))
	}
	return s
}

func (e *endpoint) state(ready bool) EndpointState {
	s := EndpointState{
		Pod: e.name, UID: e.uid, Address: e.address, Ready: ready, Ejected: e.isEjected(),
		Withdrawn: e.hasAny(flagWithdrawn), Exited: e.hasAny(flagClosed),
		Requests: e.requests.Load(), InFlight: int(e.inFlight.Load()), Failures: map[string]uint64{},
		Ejections: e.ejections.Load(), Lost: e.lost.Load(),
	}
	for failure := range numFailures {
		if n := e.failures[failure].Load(); n > 0 {
			s.Failures[failure.String()] = n
		}
	}
	return s
}
