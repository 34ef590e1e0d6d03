package manifest

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FixedPorts reports whether a Pod, or the template of one, declares that its programs listen on
// the declared ports themselves, by hostPort, hostNetwork or annotation: no second copy of them can
// run on this machine (docs/differences.md, Fixed ports).
func FixedPorts(meta *metav1.ObjectMeta, spec *corev1.PodSpec) bool {
	if spec.HostNetwork || meta.Annotations[AnnotationPorts] == PortsFixed {
		return true
	}
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for _, c := range containers {
			for _, p := range c.Ports {
				if p.HostPort != 0 {
					return true
				}
			}
		}
	}
	return false
}
