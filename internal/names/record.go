package names

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// Record is an address and the name by which Pods find it, as a DNS server of a cluster has it.
type Record struct {
	Namespace string
	// Name is relative to the namespace: "store", or "store-0.store" of a Pod.
	Name    string
	Address netip.Addr
}

// seenFrom lists all forms of the name that a Pod in a namespace may use. The one with a dot at its
// end is what a program asks for that means this name and no other.
func (r Record) seenFrom(namespace string) []string {
	inNamespace := r.Name + "." + r.Namespace
	full := inNamespace + ".svc." + ClusterDomain
	forms := []string{r.Name, inNamespace, inNamespace + ".svc", full, full + "."}
	if namespace != r.Namespace {
		return forms[1:]
	}
	return forms
}

// Cluster is what there is to be found.
type Cluster struct {
	Services []*corev1.Service
	// Slices are the EndpointSlices of headless Services, at least.
	Slices []*discoveryv1.EndpointSlice
	// External are the addresses of names outside, for Services of type ExternalName; see
	// [ExternalNames]. A name that is missing is not found.
	External map[string][]netip.Addr
}

// Records are the records of a cluster, sorted: a Service's addresses; of a headless one those of
// its ready Pods, under its own name and under the Pods' names; of an ExternalName those that it
// leads to. A Service without an address, or with [manifest.AnnotationUnnamed], has none.
func Records(c Cluster) []Record {
	var records []Record
	for _, s := range c.Services {
		records = append(records, c.recordsOf(s, 0)...)
	}
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name), a.Address.Compare(b.Address))
	})
	return slices.Compact(records)
}

// maxChain is how many ExternalNames may lead to one another.
const maxChain = 8

func (c Cluster) recordsOf(s *corev1.Service, chain int) (records []Record) {
	add := func(name string, addresses ...netip.Addr) {
		for _, a := range addresses {
			records = append(records, Record{s.Namespace, name, a})
		}
	}
	_, unnamed := s.Annotations[manifest.AnnotationUnnamed]
	switch {
	case unnamed || chain > maxChain:
	case s.Spec.Type == corev1.ServiceTypeExternalName:
		target := externalName(s)
		other, ok := c.byFullName(target)
		if !ok {
			add(s.Name, c.External[target]...)
			break
		}
		for _, r := range c.recordsOf(other, chain+1) {
			if r.Name == other.Name {
				add(s.Name, r.Address)
			}
		}
	case s.Spec.ClusterIP == corev1.ClusterIPNone:
		for _, e := range c.ready(s) {
			add(s.Name, addressesOf(e.Addresses)...)
			if e.Hostname != nil && *e.Hostname != "" {
				add(*e.Hostname+"."+s.Name, addressesOf(e.Addresses)...)
			}
		}
	default:
		add(s.Name, addressesOf(append([]string{s.Spec.ClusterIP}, s.Spec.ClusterIPs...))...)
	}
	return records
}

// ready lists the endpoints of a Service that are ready. What does not say counts as ready (R197).
func (c Cluster) ready(s *corev1.Service) (found []discoveryv1.Endpoint) {
	for _, slice := range c.Slices {
		if slice.Namespace != s.Namespace || slice.Labels[discoveryv1.LabelServiceName] != s.Name {
			continue
		}
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				found = append(found, e)
			}
		}
	}
	return found
}

func addressesOf(texts []string) (addresses []netip.Addr) {
	for _, text := range texts {
		if a, err := netip.ParseAddr(text); err == nil { // else there is none yet
			addresses = append(addresses, a)
		}
	}
	return addresses
}

// ExternalNames lists the names outside that Services lead to, sorted.
func ExternalNames(services []*corev1.Service) (outside []string) {
	c := Cluster{Services: services}
	for _, s := range services {
		if s.Spec.Type != corev1.ServiceTypeExternalName {
			continue
		}
		if name := externalName(s); name != "" {
			if _, ours := c.byFullName(name); !ours {
				outside = append(outside, name)
			}
		}
	}
	slices.Sort(outside)
	return slices.Compact(outside)
}

func externalName(s *corev1.Service) string {
	return strings.ToLower(strings.TrimSuffix(s.Spec.ExternalName, "."))
}

// byFullName finds the Service with a full name.
func (c Cluster) byFullName(name string) (*corev1.Service, bool) {
	short, ok := strings.CutSuffix(name, ".svc."+ClusterDomain)
	if !ok {
		return nil, false
	}
	return Find(c.Services, "", short)
}

// Find finds the Service that a name means, as a Pod in a namespace sees it: "store",
// "store.NAMESPACE", "store.NAMESPACE.svc" or the full name, also with a dot at its end.
func Find(services []*corev1.Service, namespace, name string) (*corev1.Service, bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	name = strings.TrimSuffix(strings.TrimSuffix(name, "."+ClusterDomain), ".svc")
	short, in, dotted := strings.Cut(name, ".")
	if dotted {
		namespace = in
	}
	for _, s := range services {
		if s.Name == short && s.Namespace == namespace {
			return s, true
		}
	}
	return nil, false
}
