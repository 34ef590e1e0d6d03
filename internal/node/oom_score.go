package node

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// The kubelet's scores: when memory runs out, the kernel first ends the container with the highest.
// Probity itself may not be the first, or it could not help.
const (
	oomBestEffort    = 1000
	oomLeastBurst    = 2
	oomLargestBurst  = 999
	oomLeastPossible = 1 // the kubelet gives Guaranteed Pods -997, which takes privileges
)

// oomScore is a container's oom_score_adj as the kubelet sets it: by the Pod's quality of service,
// and by the share of the machine's memory, in bytes, that the container requests. A machine of
// unknown size has 0.
func oomScore(spec *corev1.PodSpec, c *corev1.Container, machine int64) int {
	switch lifecycle.QOSClass(spec) {
	case corev1.PodQOSGuaranteed:
		return oomLeastPossible
	case corev1.PodQOSBestEffort:
		return oomBestEffort
	}
	if machine <= 0 {
		return oomLargestBurst
	}
	requested := c.Resources.Requests.Memory().Value()
	return int(min(max(oomBestEffort-oomBestEffort*requested/machine, oomLeastBurst), oomLargestBurst))
}
