package lifecycle

import corev1 "k8s.io/api/core/v1"

// Containers lists all containers of a Pod in the order of their start: init containers and
// sidecars first. They are the spec's own, not copies.
func Containers(spec *corev1.PodSpec) []*corev1.Container {
	var all []*corev1.Container
	for i := range spec.InitContainers {
		all = append(all, &spec.InitContainers[i])
	}
	for i := range spec.Containers {
		all = append(all, &spec.Containers[i])
	}
	return all
}
