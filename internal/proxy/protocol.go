package proxy

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// protocol is how a port is served.
type protocol int

const (
	// protocolTCP chooses an endpoint for each connection.
	protocolTCP protocol = iota
	// protocolHTTP chooses an endpoint for each request. Endpoints get HTTP/1.1, but gRPC requests
	// over HTTP/2.
	protocolHTTP
	// protocolH2C chooses an endpoint for each request. Endpoints get HTTP/2 with prior knowledge.
	protocolH2C
)

// String returns the name for people.
func (p protocol) String() string { return [...]string{"tcp", "http", "h2c"}[p] }

// protocolNamed reads an application protocol as Kubernetes, Istio and Knative spell it, in
// appProtocol or at the start of a port's name.
func protocolNamed(name string) (p protocol, known bool) {
	switch strings.ToLower(name) {
	case "http", "http1", "kubernetes.io/ws", "ws":
		return protocolHTTP, true
	case "http2", "h2c", "kubernetes.io/h2c", "grpc":
		return protocolH2C, true
	case "https", "tls", "tcp", "kubernetes.io/wss", "wss", "h2":
		return protocolTCP, true
	}
	return protocolTCP, false
}

// protocolOf decides how a Service port is served: as its appProtocol says, which is final; else as
// its name says up to the first dash, as in http-admin (grpc-web is HTTP/1.1); else by HTTP if a
// probe of a selected Pod finds plain HTTP at its target port.
func protocolOf(port *corev1.ServicePort, selected []*corev1.Pod) protocol {
	if port.AppProtocol != nil {
		p, _ := protocolNamed(*port.AppProtocol)
		return p
	}
	if port.Name == "grpc-web" || strings.HasPrefix(port.Name, "grpc-web-") {
		return protocolHTTP
	}
	prefix, _, _ := strings.Cut(port.Name, "-")
	if p, known := protocolNamed(prefix); known {
		return p
	}
	if slices.ContainsFunc(selected, func(pod *corev1.Pod) bool { return probesHTTP(pod, port) }) {
		return protocolHTTP
	}
	return protocolTCP
}

// probesHTTP reports whether a probe of the Pod is an httpGet, without TLS, at the target of a
// Service port.
func probesHTTP(pod *corev1.Pod, port *corev1.ServicePort) bool {
	target := port.TargetPort
	if target == (intstr.IntOrString{}) {
		target = intstr.FromInt32(port.Port)
	}
	containers := slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers)
	number := portNumber(target, containers)
	for i := range containers {
		c := &containers[i]
		for _, probe := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Scheme == corev1.URISchemeHTTPS {
				continue
			}
			if number != 0 && number == portNumber(probe.HTTPGet.Port, containers[i:i+1]) {
				return true
			}
		}
	}
	return false
}

// portNumber resolves a port by number or name among those that containers declare; 0 means that
// none has the name.
func portNumber(port intstr.IntOrString, containers []corev1.Container) int32 {
	if port.Type == intstr.Int {
		return port.IntVal
	}
	for i := range containers {
		for _, p := range containers[i].Ports {
			if p.Name == port.StrVal {
				return p.ContainerPort
			}
		}
	}
	return 0
}
