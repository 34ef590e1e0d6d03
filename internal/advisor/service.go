package advisor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
)

// A Service is a Service of the manifests, with the workloads that it selects.
type Service struct {
	Object    manifest.Object
	Spec      *corev1.ServiceSpec
	Workloads []*Workload

	annotations map[string]string
}

// A Backend is a port of a container to which a port of a Service sends traffic.
type Backend struct {
	Service   *Service
	Port      corev1.ServicePort
	Container *Container
	Number    int32
	// Name is the name of the container's port, or empty.
	Name string
}

func newService(o manifest.Object, s *corev1.Service) *Service {
	return &Service{Object: o, Spec: &s.Spec, annotations: s.Annotations}
}

// Name is the Service's name.
func (s *Service) Name() string { return s.Object.Resource.GetName() }

// IsHeadless reports whether clients get the addresses of all ready pods instead of one for the
// Service.
func (s *Service) IsHeadless() bool { return s.Spec.ClusterIP == corev1.ClusterIPNone }

// TrafficPorts are the Service's ports without UDP and without those for metrics.
func (s *Service) TrafficPorts() []corev1.ServicePort {
	if mentions(s.Name(), "metrics", "metric", "exporter", "telemetry") {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Spec.Ports), func(p corev1.ServicePort) bool {
		return p.Protocol == corev1.ProtocolUDP || s.isMetrics(p)
	})
}

func (s *Service) isMetrics(p corev1.ServicePort) bool {
	scraped := s.annotations["prometheus.io/scrape"] == "true" && len(s.Spec.Ports) > 1
	return isMetricsName(p.Name) || isMetricsName(p.TargetPort.StrVal) ||
		scraped && s.annotations["prometheus.io/port"] == strconv.Itoa(int(p.Port))
}

func isMetricsName(name string) bool {
	return strings.Contains(name, "metric") || mentions(name, "prometheus", "prom", "telemetry", "monitoring", "monitor", "stats", "statsd", "scrape", "exporter")
}

// mentions reports whether one of the words is a word of the name, as in "http-metrics".
func mentions(name string, words ...string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("-._/:", r) }),
		func(word string) bool { return slices.Contains(words, word) })
}

// governs reports whether the Service is the governing one of a StatefulSet: it gives the pods
// their names.
func (s *Service) governs(w *Workload) bool {
	set, ok := w.Object.Resource.(*appsv1.StatefulSet)
	return ok && s.IsHeadless() && set.Spec.ServiceName == s.Name()
}

// findBackends finds out which Services send traffic to the workload, and to which of its
// containers.
func (w *Workload) findBackends() {
	for _, s := range w.Services {
		if s.Spec.PublishNotReadyAddresses || s.governs(w) {
			continue
		}
		traffic := false
		for _, port := range s.TrafficPorts() {
			b, known := w.backend(s, port)
			if known && b.isAuxiliary() {
				continue
			}
			traffic = true
			if known {
				w.Backends = append(w.Backends, b)
			}
		}
		if traffic {
			w.traffic = append(w.traffic, s)
		}
	}
}

// backend finds the container behind a Service's port. A number that no container declares means
// the only container, if there is only one.
func (w *Workload) backend(s *Service, port corev1.ServicePort) (Backend, bool) {
	for _, c := range w.Containers {
		if declared, ok := c.declared(port.TargetPort); ok {
			// R203: the first that has it
			return Backend{s, port, c, declared.ContainerPort, declared.Name}, true
		}
	}
	if len(w.Containers) == 1 && port.TargetPort.Type == intstr.Int {
		return Backend{s, port, w.Containers[0], port.TargetPort.IntVal, ""}, true
	}
	return Backend{}, false
}

// isAuxiliary reports whether a backend only serves metrics, or is no server at all.
func (b Backend) isAuxiliary() bool {
	c := b.Container
	return isMetricsName(b.Name) || c.Name == "kube-rbac-proxy" || c.idles()
}

// idles reports whether the container does nothing but sleep: in many examples it is there for
// somebody to log in.
func (c *Container) idles() bool {
	command := slices.Concat(c.Command, c.Args)
	if len(command) == 0 {
		return false
	}
	for _, v := range Invocations(command) {
		if v.Name != "sleep" && v.Name != "true" && v.Name != "trap" && v.Name != "wait" && !(v.Name == "tail" && slices.Contains(v.Args, "/dev/null")) {
			return false
		}
	}
	return true
}

// declared is the container's port of that number or name.
func (c *Container) declared(port intstr.IntOrString) (corev1.ContainerPort, bool) {
	if port.Type == intstr.Int {
		return c.PortNumbered(port.IntVal)
	}
	return c.PortNamed(port.StrVal)
}

// Finding makes a finding about the targetPort of the Service's port with that index.
func (s *Service) Finding(port int, format string, args ...any) Finding {
	return Finding{Object: s.Object.Ref(), Field: fmt.Sprintf("spec.ports[%d].targetPort", port), Message: fmt.Sprintf(format, args...), subject: &s.Object}
}
