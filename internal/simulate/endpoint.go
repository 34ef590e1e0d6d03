package simulate

import "github.com/probity-run/probity/internal/workload"

// endpoint is what a Pod is in the EndpointSlices of a Service.
type endpoint int

const (
	endpointUnknown endpoint = iota // not looked at since the Pod has changed
	endpointNone
	endpointReady
	endpointDraining
	endpointNotReady
)

// endpoints are what a Pod is to Services: to the others, and to those that publish addresses that
// are not ready.
type endpoints struct{ normal, published endpoint }

// endpointIn is what the Pod is to a Service. It is looked at once for each change of the Pod, as
// each change of any Pod asks all of them.
func (p *pod) endpointIn(r *route) endpoint {
	e := &p.endpoints.normal
	if r.publish {
		e = &p.endpoints.published
	}
	if *e == endpointUnknown {
		*e = p.lookAtEndpoint(r.publish)
	}
	return *e
}

func (p *pod) lookAtEndpoint(publish bool) endpoint {
	if !workload.IsEndpoint(p.object) {
		return endpointNone
	}
	conditions := workload.EndpointConditions(p.object, publish)
	switch {
	case *conditions.Ready:
		return endpointReady
	case *conditions.Serving && *conditions.Terminating:
		return endpointDraining
	}
	return endpointNotReady
}
