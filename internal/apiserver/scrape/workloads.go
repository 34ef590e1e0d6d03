package scrape

import (
	appsv1 "k8s.io/api/apps/v1"

	"github.com/probity-run/probity/internal/metrics"
	"github.com/probity-run/probity/internal/store"
)

// workloadFamilies are those of kube-state-metrics that tell how many replicas there shall be, and
// how many are ready.
func workloadFamilies() []family {
	return []family{
		workloadFamily("kube_deployment_spec_replicas", "Replicas that the Deployment shall have.", "deployment", func(d *appsv1.Deployment) int32 { return replicas(d.Spec.Replicas) }),
		workloadFamily("kube_deployment_status_replicas_ready", "Replicas of the Deployment that are ready.", "deployment", func(d *appsv1.Deployment) int32 { return d.Status.ReadyReplicas }),
		workloadFamily("kube_statefulset_replicas", "Replicas that the StatefulSet shall have.", "statefulset", func(s *appsv1.StatefulSet) int32 { return replicas(s.Spec.Replicas) }),
		workloadFamily("kube_statefulset_status_replicas_ready", "Replicas of the StatefulSet that are ready.", "statefulset", func(s *appsv1.StatefulSet) int32 { return s.Status.ReadyReplicas }),
	}
}

// workloadFamily is a family with a series for each object of a kind.
func workloadFamily[T store.Object](name, help, label string, value func(T) int32) family {
	described := metrics.Family{Name: name, Type: metrics.Gauge, Help: help, Labels: []string{"namespace", label}}
	return family{described, func(w *metrics.Writer, f *facts) {
		objects, _ := store.List[T](f.Store, store.Selector{})
		for _, o := range objects {
			w.Sample(float64(value(o)), o.GetNamespace(), o.GetName())
		}
	}}
}

// replicas are those of a spec, with its default.
func replicas(asked *int32) int32 {
	if asked == nil {
		return 1
	}
	return *asked
}
