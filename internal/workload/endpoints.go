package workload

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
)

// IsEndpoint reports whether a Pod that a Service selects is listed as an endpoint of it: as soon
// as it has an address and until it is finished, ready or not, terminating or not (R193).
func IsEndpoint(pod *corev1.Pod) bool { return pod.Status.PodIP != "" && !IsFinished(pod) }

// EndpointConditions are a Pod's as an endpoint (R194–R196). publish is the Service's
// publishNotReadyAddresses. One that was taken out of rotation by hand is not ready, whatever else
// says so (docs/differences.md).
func EndpointConditions(pod *corev1.Pod, publish bool) discoveryv1.EndpointConditions {
	_, serving := ReadySince(pod)
	terminating := pod.DeletionTimestamp != nil
	ready := (publish || serving && !terminating) && !manifest.OutOfRotation(pod)
	return discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating}
}

// EndpointPorts are the ports of a Service as one Pod has them; those with a name that the Pod does
// not know are missing (R203). private maps what the Pod declares to where its program listens; a
// port that is not in it is itself.
func EndpointPorts(service []corev1.ServicePort, pod *corev1.Pod, private map[int32]int32) (ports []discoveryv1.EndpointPort, missing []corev1.ServicePort) {
	for _, p := range service {
		declared, ok := targetPort(p, pod)
		if !ok {
			missing = append(missing, p)
			continue
		}
		if mapped, ok := private[declared]; ok {
			declared = mapped
		}
		ports = append(ports, discoveryv1.EndpointPort{Name: new(p.Name), Protocol: new(protocol(p.Protocol)), Port: &declared, AppProtocol: p.AppProtocol})
	}
	return ports, missing
}

// targetPort resolves a Service's port in a Pod, by number or by name and protocol; sidecars' ports
// count, those of other init containers do not.
func targetPort(p corev1.ServicePort, pod *corev1.Pod) (int32, bool) {
	if p.TargetPort.Type == intstr.Int {
		if p.TargetPort.IntVal == 0 {
			return p.Port, true
		}
		return p.TargetPort.IntVal, true
	}
	if p.TargetPort.StrVal == "" {
		return p.Port, true
	}
	for _, c := range slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers) {
		for _, port := range c.Ports {
			if port.Name == p.TargetPort.StrVal && protocol(port.Protocol) == protocol(p.Protocol) && servesTraffic(pod, c) {
				return port.ContainerPort, true
			}
		}
	}
	return 0, false
}

// servesTraffic leaves out plain init containers, which are gone when the Pod serves.
func servesTraffic(pod *corev1.Pod, c corev1.Container) bool {
	isInit := slices.ContainsFunc(pod.Spec.InitContainers, func(i corev1.Container) bool { return i.Name == c.Name })
	return !isInit || c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

func protocol(p corev1.Protocol) corev1.Protocol {
	if p == "" {
		return corev1.ProtocolTCP
	}
	return p
}

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
