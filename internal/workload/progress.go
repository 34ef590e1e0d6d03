package workload

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Progress is how far a Deployment, StatefulSet, DaemonSet or ReplicaSet is from what it is meant
// to be, by its status, as kubectl rollout status sees it.
type Progress struct {
	// Desired Pods, those of the newest template, and those that are available.
	Desired, Updated, Available int32
	// Complete: nothing is left to be done, and no Pod of an older template is left.
	Complete bool
	// Changed: a change of it was not taken up yet.
	Changed bool
	// Stuck is why a rollout does not go on (R213), "" as long as it may.
	Stuck string
}

// String is 2/3, and what of a change is not done yet.
func (p Progress) String() string {
	text := fmt.Sprintf("%d/%d", p.Available, p.Desired)
	if p.Changed {
		return text + ", a change is rolled out"
	}
	if p.Updated < p.Desired {
		text += fmt.Sprintf(", %d of %d updated", p.Updated, p.Desired)
	}
	return text
}

// ProgressOf is the progress of a workload; ok is false for an object that is none.
func ProgressOf(object metav1.Object) (p Progress, ok bool) {
	var observed int64
	var all int32
	switch o := object.(type) {
	case *appsv1.Deployment:
		observed, all = o.Status.ObservedGeneration, o.Status.Replicas
		p = Progress{Desired: valueOr(o.Spec.Replicas, 1), Updated: o.Status.UpdatedReplicas, Available: o.Status.AvailableReplicas}
		for _, c := range o.Status.Conditions {
			if c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse {
				p.Stuck = c.Message
			}
		}
	case *appsv1.StatefulSet:
		observed, all = o.Status.ObservedGeneration, o.Status.Replicas
		p = Progress{Desired: valueOr(o.Spec.Replicas, 1), Updated: updatedPods(o), Available: o.Status.AvailableReplicas}
	case *appsv1.DaemonSet:
		observed, all = o.Status.ObservedGeneration, o.Status.CurrentNumberScheduled
		p = Progress{Desired: o.Status.DesiredNumberScheduled, Updated: o.Status.UpdatedNumberScheduled, Available: o.Status.NumberAvailable}
	case *appsv1.ReplicaSet:
		observed, all = o.Status.ObservedGeneration, o.Status.Replicas
		p = Progress{Desired: valueOr(o.Spec.Replicas, 1), Updated: o.Status.Replicas, Available: o.Status.AvailableReplicas}
	default:
		return Progress{}, false
	}
	p.Changed = observed > 0 && observed < object.GetGeneration()
	p.Complete = observed >= object.GetGeneration() && all == p.Desired && p.Updated == p.Desired && p.Available == p.Desired
	return p, true
}

// updatedPods is how many Pods of a StatefulSet are as its rollout wants them. Those below its
// partition, and with OnDelete all, stay as they were.
func updatedPods(set *appsv1.StatefulSet) int32 {
	strategy := set.Spec.UpdateStrategy
	kept := valueOr(set.Spec.Replicas, 1)
	switch {
	case strategy.Type == appsv1.OnDeleteStatefulSetStrategyType, set.Status.CurrentRevision == set.Status.UpdateRevision:
	case strategy.RollingUpdate != nil && strategy.RollingUpdate.Partition != nil:
		kept = min(kept, *strategy.RollingUpdate.Partition)
	default:
		kept = 0
	}
	return min(set.Status.UpdatedReplicas+kept, set.Status.Replicas)
}
