package workload

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
)

// maxEndpoints is how many endpoints a slice holds at most (R203).
const maxEndpoints = 100

// PlacedEndpoint is an endpoint of a Service and the ports that it has. Endpoints of equal ports
// share slices.
type PlacedEndpoint struct {
	Endpoint discoveryv1.Endpoint
	Ports    []discoveryv1.EndpointPort
}

// SliceContent is what one EndpointSlice shall hold.
type SliceContent struct {
	// Name of the slice that there is, empty for one to make.
	Name      string
	Ports     []discoveryv1.EndpointPort
	Endpoints []discoveryv1.Endpoint
}

// Slices distributes the endpoints of a Service over its EndpointSlices: a slice has one list of
// ports and at most 100 endpoints. An endpoint stays in the slice that it is in, and a slice that
// would be left empty is used again before one is made. Slices that are not returned have nothing
// left to hold. There is always one, so that who reads them sees that nothing serves.
func Slices(existing []*discoveryv1.EndpointSlice, endpoints []PlacedEndpoint) []SliceContent {
	existing = slices.Clone(existing)
	slices.SortFunc(existing, func(a, b *discoveryv1.EndpointSlice) int { return cmp.Compare(a.Name, b.Name) })
	p := newPlacement(endpoints)
	var all []SliceContent
	for _, slice := range existing {
		if content := p.keep(slice); len(content.Endpoints) > 0 {
			all = append(all, content)
		}
	}
	all = p.placeRest(all)
	if len(all) == 0 {
		all = append(all, SliceContent{})
	}
	return reuse(all, existing)
}

// placement distributes endpoints.
type placement struct {
	endpoints []PlacedEndpoint
	ports     []string          // the key of each one's ports
	index     map[types.UID]int // by Pod
	placed    []bool
}

func newPlacement(endpoints []PlacedEndpoint) *placement {
	p := &placement{endpoints: endpoints, index: make(map[types.UID]int, len(endpoints)), placed: make([]bool, len(endpoints))}
	for i, e := range endpoints {
		p.ports = append(p.ports, portsKey(e.Ports))
		p.index[podOf(e.Endpoint)] = i
	}
	return p
}

// keep is a slice with those of its endpoints that are still wanted and still have its ports.
func (p *placement) keep(slice *discoveryv1.EndpointSlice) SliceContent {
	content, key := SliceContent{Name: slice.Name, Ports: slice.Ports}, portsKey(slice.Ports)
	for _, e := range slice.Endpoints {
		i, wanted := p.index[podOf(e)]
		if wanted && !p.placed[i] && p.ports[i] == key && len(content.Endpoints) < maxEndpoints {
			content.Endpoints = append(content.Endpoints, p.endpoints[i].Endpoint)
			p.placed[i] = true
		}
	}
	return content
}

// placeRest puts what has no place yet into the first slice of its ports that has room, else into a
// new one.
func (p *placement) placeRest(all []SliceContent) []SliceContent {
	open := map[string][]int{} // slices with room, by their ports
	for i, content := range all {
		if key := portsKey(content.Ports); len(content.Endpoints) < maxEndpoints {
			open[key] = append(open[key], i)
		}
	}
	for i, e := range p.endpoints {
		if p.placed[i] {
			continue
		}
		key := p.ports[i]
		if len(open[key]) == 0 {
			all = append(all, SliceContent{Ports: e.Ports})
			open[key] = []int{len(all) - 1}
		}
		content := &all[open[key][0]]
		if content.Endpoints = append(content.Endpoints, e.Endpoint); len(content.Endpoints) == maxEndpoints {
			open[key] = open[key][1:]
		}
	}
	return all
}

// reuse gives contents without a slice those slices that have no content any more.
func reuse(all []SliceContent, existing []*discoveryv1.EndpointSlice) []SliceContent {
	used := map[string]bool{}
	for _, content := range all {
		used[content.Name] = true
	}
	spare := slices.DeleteFunc(slices.Clone(existing), func(s *discoveryv1.EndpointSlice) bool { return used[s.Name] })
	for i := range all {
		if all[i].Name == "" && len(spare) > 0 {
			all[i].Name, spare = spare[0].Name, spare[1:]
		}
	}
	return all
}

func podOf(e discoveryv1.Endpoint) types.UID {
	if e.TargetRef == nil {
		return ""
	}
	return e.TargetRef.UID
}

// portsKey is equal for equal lists of ports, whatever their order.
func portsKey(ports []discoveryv1.EndpointPort) string {
	words := make([]string, 0, len(ports))
	for _, p := range ports {
		number := strconv.Itoa(int(valueOr(p.Port, 0)))
		words = append(words, valueOr(p.Name, "")+"/"+string(valueOr(p.Protocol, ""))+"/"+number+"/"+valueOr(p.AppProtocol, ""))
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
