package program

import (
	"net/netip"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/envvars"
	"github.com/probity-run/probity/internal/manifest"
)

// serviceVariables are the variables of the Services of a Pod's namespace, as they are now; none if
// the Pod does not want them. A program keeps those that it was started with.
func serviceVariables(pod *corev1.Pod, objects Objects) []envvars.Variable {
	if objects == nil || pod.Spec.EnableServiceLinks != nil && !*pod.Spec.EnableServiceLinks {
		return nil
	}
	return ServiceVariables(objects.Services(pod.Namespace))
}

// ServiceVariables are the variables of Services, with the numbers at which they are served now.
func ServiceVariables(services []*corev1.Service) []envvars.Variable {
	return envvars.FromServices(services, workingPort)
}

// workingPort is the number at which a port of a Service is served, as its proxy has noted.
func workingPort(service *corev1.Service, port int32) int32 {
	served, err := netip.ParseAddrPort(service.Annotations[manifest.AnnotationAddress+strconv.Itoa(int(port))])
	if err != nil || served.Port() == 0 {
		return port // it is not served yet, or not by us
	}
	return int32(served.Port())
}
