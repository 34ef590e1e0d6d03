package workload

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Status is the StatefulSet's status now. Once every replica is updated and ready the update
// revision becomes the current one.
func (s *StatefulSetState) Status(now time.Time) appsv1.StatefulSetStatus {
	before := s.Set.Status.DeepCopy()
	status := appsv1.StatefulSetStatus{
		ObservedGeneration: s.Set.Generation,
		CurrentRevision:    s.Current,
		UpdateRevision:     s.Update,
		CollisionCount:     before.CollisionCount,
		Conditions:         before.Conditions,
	}
	for _, pod := range s.Pods {
		if OrdinalOf(s.Set, pod) >= 0 {
			s.count(&status, pod, now)
		}
	}
	n := int32(s.replicas())
	rolling := s.Set.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType
	if rolling && status.Replicas == n && status.UpdatedReplicas == n && status.ReadyReplicas == n {
		status.CurrentRevision, status.CurrentReplicas = s.Update, status.UpdatedReplicas
	}
	return status
}

func (s *StatefulSetState) count(status *appsv1.StatefulSetStatus, pod *corev1.Pod, now time.Time) {
	status.Replicas++
	if _, ready := ReadySince(pod); ready && pod.Status.Phase == corev1.PodRunning {
		status.ReadyReplicas++
		if Available(pod, s.Set.Spec.MinReadySeconds, now) {
			status.AvailableReplicas++
		}
	}
	if pod.DeletionTimestamp != nil {
		return
	}
	if RevisionOf(pod) == s.Current {
		status.CurrentReplicas++
	}
	if RevisionOf(pod) == s.Update {
		status.UpdatedReplicas++
	}
}
