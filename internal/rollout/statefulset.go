package rollout

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/workload"
)

// isReplaced reports whether each Pod that the rollout of a StatefulSet replaces is of the newest
// revision and available. The counters of the status do not tell: they have Pods that are being
// deleted among them, and when a rollout that was broken off is taken back, currentRevision and
// updateRevision agree although Pods of the revision between them still serve.
func (s *scene) isReplaced(set *appsv1.StatefulSet) bool {
	replaced := func(p *corev1.Pod) bool { return isReplacedIn(set, p) }
	if slices.ContainsFunc(s.old, replaced) || slices.ContainsFunc(s.ends, replaced) {
		return false
	}
	up := 0
	for _, p := range s.active() {
		if replaced(p) && workload.Available(p, s.minReady, s.Now) {
			up++
		}
	}
	return up >= s.desired()-min(partitionOf(set), s.desired())
}

// isReplacedIn reports whether the rollout of a StatefulSet replaces a Pod: those below the
// partition stay as they are, and what has not the name of one of its Pods it leaves alone.
func isReplacedIn(set *appsv1.StatefulSet, p *corev1.Pod) bool {
	start := 0
	if o := set.Spec.Ordinals; o != nil {
		start = int(o.Start)
	}
	return workload.OrdinalOf(set, p) >= start+partitionOf(set)
}

// partitionOf is how many of the first Pods the rollout of a StatefulSet leaves as they are.
func partitionOf(set *appsv1.StatefulSet) int {
	if r := set.Spec.UpdateStrategy.RollingUpdate; r != nil && r.Partition != nil {
		return int(max(*r.Partition, 0))
	}
	return 0
}
