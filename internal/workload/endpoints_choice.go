package workload

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Endpoint is one place where a Service's port is served, as a proxy sees it: what EndpointSlices
// leave out has its default (R197).
type Endpoint struct {
	Address string
	Port    int32
	// Pod is the UID of the Pod behind it, Namespace and Name are its names, and Node is its node;
	// empty if the slice does not say.
	Pod                         types.UID
	Namespace, Name, Node       string
	Ready, Serving, Terminating bool
}

// EndpointsOf are the endpoints of one TCP port of a Service, by the port's name, from all of its
// slices. Of an address and port that are listed twice the one that does not terminate wins (R203).
func EndpointsOf(all []*discoveryv1.EndpointSlice, port string) []Endpoint {
	type place struct {
		address string
		port    int32
	}
	var found []Endpoint
	index := map[place]int{}
	for _, slice := range all {
		number, ok := portOf(slice, port)
		if !ok {
			continue
		}
		for i := range slice.Endpoints {
			for _, address := range slice.Endpoints[i].Addresses {
				e, here := endpointOf(&slice.Endpoints[i], address, number), place{address, number}
				at, known := index[here]
				switch {
				case !known:
					index[here] = len(found)
					found = append(found, e)
				case found[at].Terminating && !e.Terminating:
					found[at] = e
				}
			}
		}
	}
	return found
}

func portOf(slice *discoveryv1.EndpointSlice, name string) (int32, bool) {
	for _, p := range slice.Ports {
		if p.Port != nil && valueOr(p.Name, "") == name && valueOr(p.Protocol, corev1.ProtocolTCP) == corev1.ProtocolTCP {
			return *p.Port, true
		}
	}
	return 0, false
}

func endpointOf(e *discoveryv1.Endpoint, address string, port int32) Endpoint {
	found := Endpoint{
		Address: address, Port: port, Node: valueOr(e.NodeName, ""),
		Ready: valueOr(e.Conditions.Ready, true), Serving: valueOr(e.Conditions.Serving, true), Terminating: valueOr(e.Conditions.Terminating, false),
	}
	if e.TargetRef != nil {
		found.Pod, found.Namespace, found.Name = e.TargetRef.UID, e.TargetRef.Namespace, e.TargetRef.Name
	}
	return found
}

// Tiers are the endpoints that new connections may go to: the ready ones; only as long as there is
// none, those that still serve while they terminate; if there is none of those either, nobody, and
// a connection is refused (R198–R200). For a Local traffic policy give it the endpoints of the node
// only.
func Tiers(endpoints []Endpoint) (ready, terminating []Endpoint) {
	for _, e := range endpoints {
		switch {
		case e.Ready:
			ready = append(ready, e)
		case e.Serving && e.Terminating:
			terminating = append(terminating, e)
		}
	}
	return ready, terminating
}
