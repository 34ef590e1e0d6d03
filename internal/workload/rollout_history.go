package workload

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// SameTemplate compares templates but for the label that tells ReplicaSets apart.
func SameTemplate(a, b *corev1.PodTemplateSpec) bool {
	a, b = a.DeepCopy(), b.DeepCopy()
	delete(a.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	delete(b.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return equality.Semantic.DeepEqual(a, b)
}

// NextRevision is the number of a Deployment's newest rollout: one more than that of any old set.
func (r *Rollout) NextRevision() int64 {
	var newest int64
	for _, set := range r.Old {
		newest = max(newest, set.Revision)
	}
	return newest + 1
}

// Surplus names the old sets beyond the history's limit that can go: the lowest revisions first,
// and only if the Deployment is complete or paused (R215). One that has Pods stays, and counts.
func (r *Rollout) Surplus(limit int, complete bool) []string {
	if !complete && !r.Paused {
		return nil
	}
	old := slices.SortedStableFunc(slices.Values(r.Old), func(a, b ReplicaSetState) int { return cmp.Compare(a.Revision, b.Revision) })
	var names []string
	for _, set := range old[:max(len(old)-limit, 0)] {
		if set.Size == 0 && set.Replicas == 0 {
			names = append(names, set.Name)
		}
	}
	return names
}
