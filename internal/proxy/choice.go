package proxy

import (
	"cmp"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
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

// endpointsOf chooses among the endpoints of the Service port of a name as a cluster does for cluster-wide traffic (R197, R198): the ready ones, and
// those that are used as long as no ready one is left, which are serving and terminating. Both are in the order of Pod names. An address that is
// listed twice counts once, as the one that does not terminate (R203).
func endpointsOf(slicesOfService []*discoveryv1.EndpointSlice, portName string) (ready, terminating []endpoint) {
	leaving := map[string]bool{}
	byAddress := map[string]*discoveryv1.Endpoint{}
	for _, slice := range slicesOfService {
		number, ok := portOf(slice, portName)
		for i := range slice.Endpoints {
			e := &slice.Endpoints[i]
			if !ok || len(e.Addresses) == 0 {
				continue
			}
			address := net.JoinHostPort(e.Addresses[0], strconv.Itoa(int(number)))
			ends := e.Conditions.Terminating != nil && *e.Conditions.Terminating
			if byAddress[address] == nil || leaving[address] && !ends {
				byAddress[address], leaving[address] = e, ends
			}
		}
	}
	for address, e := range byAddress {
		switch {
		case yes(e.Conditions.Ready):
			ready = append(ready, identify(address, e))
		case yes(e.Conditions.Serving) && leaving[address]:
			terminating = append(terminating, identify(address, e))
		}
	}
	slices.SortFunc(ready, byPod)
	slices.SortFunc(terminating, byPod)
	return ready, terminating
}

// yes reads a condition whose absence means true.
func yes(condition *bool) bool { return condition == nil || *condition }

// portOf finds the number that a slice gives to the Service port of a name.
func portOf(slice *discoveryv1.EndpointSlice, name string) (int32, bool) {
	for _, p := range slice.Ports {
		named := p.Name != nil && *p.Name == name || p.Name == nil && name == ""
		if named && p.Port != nil && (p.Protocol == nil || *p.Protocol == corev1.ProtocolTCP) {
			return *p.Port, true
		}
	}
	return 0, false
}

func identify(address string, e *discoveryv1.Endpoint) endpoint {
	id := endpoint{address: address, name: types.NamespacedName{Name: address}}
	if ref := e.TargetRef; ref != nil && ref.Kind == "Pod" {
		id.uid, id.name = ref.UID, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}
	}
	return id
}

func byPod(a, b endpoint) int {
	return cmp.Or(cmp.Compare(a.name.Name, b.name.Name), cmp.Compare(a.address, b.address))
}
