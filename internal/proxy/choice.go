package proxy

import (
	"cmp"
	"net"
	"slices"
	"strconv"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/workload"
)

// endpoint is one address of a Service port, as EndpointSlices list it.
type endpoint struct {
	// address is host:port.
	address string
	// uid of the Pod; empty for an endpoint that is none.
	uid types.UID
	// name is the Pod's namespace and name.
	name types.NamespacedName
}

// endpointsOf are the endpoints of the Service port of a name: those that are ready, and those that
// are used as long as no ready one is left (R198). Both are in the order of Pod names.
func endpointsOf(slicesOfService []*discoveryv1.EndpointSlice, portName string) (ready, terminating []endpoint) {
	first, last := workload.Tiers(workload.EndpointsOf(slicesOfService, portName))
	return identify(first), identify(last)
}

func identify(found []workload.Endpoint) (all []endpoint) {
	for _, e := range found {
		address := net.JoinHostPort(e.Address, strconv.Itoa(int(e.Port)))
		all = append(all, endpoint{address: address, uid: e.Pod, name: types.NamespacedName{Namespace: e.Namespace, Name: cmp.Or(e.Name, address)}})
	}
	slices.SortFunc(all, byPod)
	return all
}

func byPod(a, b endpoint) int {
	return cmp.Or(cmp.Compare(a.name.Name, b.name.Name), cmp.Compare(a.address, b.address))
}
