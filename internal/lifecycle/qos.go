package lifecycle

import corev1 "k8s.io/api/core/v1"

// QOSClass is the quality-of-service class that the API server gives a Pod when it is created:
// Guaranteed if every container limits CPU and memory and requests just that, BestEffort if none
// says anything about them, else Burstable. The spec must be defaulted.
func QOSClass(spec *corev1.PodSpec) corev1.PodQOSClass {
	said, guaranteed := false, true
	for _, c := range Containers(spec) {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			request, limit := c.Resources.Requests[name], c.Resources.Limits[name]
			if _, asked := c.Resources.Requests[name]; !asked {
				request = limit // what is not requested is requested as far as it is limited
			}
			said = said || !request.IsZero() || !limit.IsZero()
			guaranteed = guaranteed && !limit.IsZero() && request.Cmp(limit) == 0
		}
	}
	switch {
	case !said:
		return corev1.PodQOSBestEffort
	case guaranteed:
		return corev1.PodQOSGuaranteed
	default:
		return corev1.PodQOSBurstable
	}
}
