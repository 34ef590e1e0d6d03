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

// ProbeOf finds the container of a name and its probe of a type; nil where there is none.
func ProbeOf(spec *corev1.PodSpec, container string, t ProbeType) (*corev1.Container, *corev1.Probe) {
	for _, c := range Containers(spec) {
		if c.Name == container {
			return c, probeOf(c, t)
		}
	}
	return nil, nil
}
