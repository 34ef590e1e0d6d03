package scrape

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/metrics"
)

// probeFamilies are the kubelet's: names, labels, buckets and what counts (R222).
func probeFamilies() []family {
	return []family{
		{metrics.Family{
			Name: "prober_probe_total", Type: metrics.Counter, Help: "Attempts of a probe, by result, as the kubelet counts them: warnings are successful, prober errors are left out.",
			Labels: []string{"probe_type", "result", "container", "pod", "namespace", "pod_uid"},
		}, writeProbeTotal},
		{metrics.Family{
			Name: "prober_probe_duration_seconds", Type: metrics.Durations, Help: "How long successful attempts of a probe took.",
			Labels: []string{"probe_type", "container", "pod", "namespace"},
		}, writeProbeDuration},
	}
}

func writeProbeTotal(w *metrics.Writer, f *facts) {
	f.eachProbe(func(pod *corev1.Pod, p history.ProbeCounts) {
		w.Sample(float64(p.Successful.Count()), p.Type, "successful", p.Container, pod.Name, pod.Namespace, string(pod.UID))
		w.Sample(float64(p.Failed), p.Type, "failed", p.Container, pod.Name, pod.Namespace, string(pod.UID))
	})
}

func writeProbeDuration(w *metrics.Writer, f *facts) {
	f.eachProbe(func(pod *corev1.Pod, p history.ProbeCounts) {
		w.Durations(p.Successful, p.Type, p.Container, pod.Name, pod.Namespace)
	})
}

// eachProbe visits the probes of all Pods that go on.
func (f *facts) eachProbe(visit func(*corev1.Pod, history.ProbeCounts)) {
	for _, pod := range f.pods {
		for _, p := range f.History.Counts(pod.UID) {
			if hasWorker(pod, p.Key) {
				visit(pod, p)
			}
		}
	}
}

// hasWorker reports whether the kubelet would still have the worker of a probe, with which its
// series end: until the Pod is finished, the container will not start again, or, but for
// readiness, the Pod is being deleted (R15, R17).
func hasWorker(pod *corev1.Pod, probe history.Key) bool {
	switch {
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		return false
	case pod.DeletionTimestamp != nil && probe.Type != string(lifecycle.Readiness):
		return false
	case pod.Spec.RestartPolicy != corev1.RestartPolicyNever:
		return true
	}
	i := slices.IndexFunc(pod.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == probe.Container })
	return i < 0 || pod.Status.ContainerStatuses[i].State.Terminated == nil
}
