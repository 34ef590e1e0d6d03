package probitytest

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/proxy"
)

// URL is where the first port of a Service is served: "http://127.0.0.1:8080". The Service is named
// as a workload is.
func (s *System) URL(service string) string {
	s.t.Helper()
	return "http://" + s.ports(service)[0].Address
}

// Address is where a port of a Service is served, as host:port. 0 is its first port.
func (s *System) Address(service string, port int32) string {
	s.t.Helper()
	ports := s.ports(service)
	for _, p := range ports {
		if port == 0 || p.Port == port {
			return p.Address
		}
	}
	s.t.Fatalf("service %s has no port %d", service, port)
	return ""
}

// ports are the ports of a Service that are served, at least one.
func (s *System) ports(service string) []proxy.PortState {
	s.t.Helper()
	namespace, name := split(service)
	var ports []proxy.PortState
	for _, p := range s.system.Proxy().State().Ports {
		if p.Service.Namespace == namespace && p.Service.Name == name {
			ports = append(ports, p)
		}
	}
	if len(ports) == 0 {
		s.t.Fatalf("there is no service %s that is served", service)
	}
	return ports
}

// Requests is what became of the requests of a Service so far; without HTTP, of its connections.
type Requests struct {
	// Total is how many came.
	Total uint64
	// Failed got no answer of a replica: none was ready, or all that were tried failed.
	Failed uint64
	// Lost are those among Failed that had been sent to a replica.
	Lost uint64
	// Retried is how often a failed attempt was followed by one at another replica.
	Retried uint64
}

// Requests counts the requests of a Service, all ports together.
func (s *System) Requests(service string) Requests {
	s.t.Helper()
	var r Requests
	for _, p := range s.ports(service) {
		r.Total += p.Requests
		r.Failed += p.Failed
		r.Lost += p.Lost
		r.Retried += p.Retries
	}
	return r
}

// isRouted reports whether new requests of a Service may go to a Pod.
func (s *System) isRouted(pod *corev1.Pod) bool {
	for _, port := range s.system.Proxy().State().Ports {
		for _, e := range port.Endpoints {
			if e.UID == pod.UID && e.Ready && !e.Withdrawn && !e.Exited {
				return true
			}
		}
	}
	return false
}

// split is the Namespace and the name of "web" or "shop/web".
func split(name string) (namespace, of string) {
	if namespace, of, found := strings.Cut(name, "/"); found {
		return namespace, of
	}
	return metav1.NamespaceDefault, name
}
