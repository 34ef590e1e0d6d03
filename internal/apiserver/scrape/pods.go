package scrape

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/metrics"
)

// podFamilies are those of kube-state-metrics that tell of restarts, readiness and back-off.
func podFamilies() []family {
	return []family{
		{metrics.Family{
			Name: "kube_pod_status_ready", Type: metrics.Gauge, Help: "Whether the condition Ready of the Pod is true, false or unknown.",
			Labels: []string{"namespace", "pod", "uid", "condition"},
		}, writePodReady},
		containerFamily("kube_pod_container_status_ready", metrics.Gauge, "Whether the container is ready.", containers, writeReady),
		containerFamily("kube_pod_container_status_restarts_total", metrics.Counter, "Restarts of the container.", containers, writeRestarts),
		containerFamily("kube_pod_container_status_waiting_reason", metrics.Gauge, "Why the container waits; CrashLoopBackOff while its restart is backed off.", containers, writeWaiting, "reason"),
		containerFamily("kube_pod_init_container_status_ready", metrics.Gauge, "Whether the init container is ready.", initContainers, writeReady),
		containerFamily("kube_pod_init_container_status_restarts_total", metrics.Counter, "Restarts of the init container.", initContainers, writeRestarts),
		containerFamily("kube_pod_init_container_status_waiting_reason", metrics.Gauge, "Why the init container waits; CrashLoopBackOff while its restart is backed off.", initContainers, writeWaiting, "reason"),
	}
}

func containers(pod *corev1.Pod) []corev1.ContainerStatus { return pod.Status.ContainerStatuses }
func initContainers(pod *corev1.Pod) []corev1.ContainerStatus {
	return pod.Status.InitContainerStatuses
}

// containerFamily is a family with a series for each container of a kind.
func containerFamily(name string, t metrics.Type, help string, of func(*corev1.Pod) []corev1.ContainerStatus,
	write func(*metrics.Writer, *corev1.ContainerStatus, ...string), more ...string) family {
	described := metrics.Family{Name: name, Type: t, Help: help, Labels: append([]string{"namespace", "pod", "uid", "container"}, more...)}
	return family{described, func(w *metrics.Writer, f *facts) {
		for _, pod := range f.pods {
			statuses := of(pod)
			for i := range statuses {
				write(w, &statuses[i], pod.Namespace, pod.Name, string(pod.UID), statuses[i].Name)
			}
		}
	}}
}

func writeReady(w *metrics.Writer, s *corev1.ContainerStatus, labels ...string) {
	w.Sample(one(s.Ready), labels...)
}

func writeRestarts(w *metrics.Writer, s *corev1.ContainerStatus, labels ...string) {
	w.Sample(float64(s.RestartCount), labels...)
}

func writeWaiting(w *metrics.Writer, s *corev1.ContainerStatus, labels ...string) {
	if s.State.Waiting != nil && s.State.Waiting.Reason != "" {
		w.Sample(1, append(labels, s.State.Waiting.Reason)...)
	}
}

func writePodReady(w *metrics.Writer, f *facts) {
	for _, pod := range f.pods {
		is := corev1.ConditionUnknown
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady {
				is = c.Status
			}
		}
		for _, status := range []corev1.ConditionStatus{corev1.ConditionTrue, corev1.ConditionFalse, corev1.ConditionUnknown} {
			w.Sample(one(is == status), pod.Namespace, pod.Name, string(pod.UID), strings.ToLower(string(status)))
		}
	}
}

// one is 1 for what is so, else 0.
func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
