package proxy

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/metrics"
)

// State is what the proxy does at one time, by Service and port. Numbers count from the start of
// the listener; those of an endpoint, from when it first came into the routing table.
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
	// Requests is how many came so far. With TCP, here and below, a connection counts as a request.
	Requests uint64
	// InFlight is how many of them have not ended, Waiting ones included.
	InFlight int
	// Waiting is how many are held because no endpoint is ready.
	Waiting int
	// Retries is how many attempts followed a failed attempt.
	Retries uint64
	// Failed is how many got no answer from an endpoint.
	Failed uint64
	// Gone is how many clients went away before their answer was complete.
	Gone uint64
	// Lost is how many failed at an endpoint after they were sent and were answered by no other.
	Lost uint64
	// Answers counts HTTP requests that have ended, by the class of the status that the client got:
	// Answers[2] are 2xx, Answers[0] those to which nothing was answered. What the proxy answered
	// itself is among them: also requests that it did not route, which are not in Requests, and
	// gRPC calls that no endpoint answered, as 5xx.
	Answers [6]uint64
	// Latency is how long it took from the head of an HTTP request to the end of its answer. What
	// was not routed or not answered, and connections that changed protocols, are not in it.
	Latency   metrics.Distribution
	Endpoints []EndpointState
}

// EndpointState is one endpoint of a Service port.
type EndpointState struct {
	Pod     types.NamespacedName
	UID     types.UID
	Address string
	// Ready is what the EndpointSlice says. An endpoint that is not ready is serving and
	// terminating.
	Ready bool
	// Withdrawn: the node withdrew it. Exited: its process has ended.
	Withdrawn, Exited bool
	// Ejected: it refused a connection and did not accept one since. No probe found that out, and
	// the Pod's status does not show it.
	Ejected bool
	// Requests counts attempts, InFlight those that have not ended.
	Requests uint64
	InFlight int
	// Failures counts attempts that failed, by how: refused, timeout, broken (before the answer) or
	// aborted (during the answer).
	Failures map[string]uint64
	// Ejections is how often it was ejected.
	Ejections uint64
	// Lost is how many requests failed here and were answered by no other endpoint.
	Lost uint64
}

// State returns a snapshot. Nothing stops for it, so its numbers may be of slightly different
// times.
func (p *Proxy) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	var s State
	for _, sp := range p.ports {
		s.Ports = append(s.Ports, sp.state())
	}
	slices.SortFunc(s.Ports, func(a, b PortState) int {
		if c := compareNames(a.Service, b.Service); c != 0 {
			return c
		}
		return int(a.Port - b.Port)
	})
	return s
}

func (sp *servicePort) state() PortState {
	t := sp.table.Load()
	s := PortState{
		Service: sp.key.service, Port: sp.key.number, Address: sp.address(), Protocol: t.protocol.String(),
		Requests: sp.requests.Load(), InFlight: sp.inFlight.count(), Waiting: int(sp.waiting.Load()),
		Retries: sp.retries.Load(), Failed: sp.failed.Load(), Gone: sp.gone.Load(), Lost: sp.lost.Load(),
		Answers: sp.answers.state(), Latency: sp.answers.latency.Distribution(),
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
