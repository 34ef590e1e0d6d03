package lifecycle

import (
	"iter"

	corev1 "k8s.io/api/core/v1"
)

// Containers lists all containers of a Pod in the order of their start: init containers and
// sidecars first. They are the spec's own, not copies.
func Containers(spec *corev1.PodSpec) []*corev1.Container {
	all := make([]*corev1.Container, 0, len(spec.InitContainers)+len(spec.Containers))
	for i := range spec.InitContainers {
		all = append(all, &spec.InitContainers[i])
	}
	for i := range spec.Containers {
		all = append(all, &spec.Containers[i])
	}
	return all
}

// Statuses yields the statuses of all containers of a Pod, those of init containers first. They are
// the Pod's own, not copies.
func Statuses(pod *corev1.Pod) iter.Seq[*corev1.ContainerStatus] {
	return func(yield func(*corev1.ContainerStatus) bool) {
		for i := range pod.Status.InitContainerStatuses {
			if !yield(&pod.Status.InitContainerStatuses[i]) {
				return
			}
		}
		for i := range pod.Status.ContainerStatuses {
			if !yield(&pod.Status.ContainerStatuses[i]) {
				return
			}
		}
	}
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
