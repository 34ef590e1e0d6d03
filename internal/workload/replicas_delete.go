package workload

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// PodsToDelete chooses n Pods of a ReplicaSet that is to shrink (R218). onNode counts the
// active Pods of the same Deployment by node.
func PodsToDelete(pods []*corev1.Pod, n int, onNode map[string]int, now time.Time) []*corev1.Pod {
	ranked := slices.SortedStableFunc(slices.Values(pods), func(a, b *corev1.Pod) int { return compareDeletion(a, b, onNode, now) })
	return ranked[:min(n, len(ranked))]
}

// compareDeletion is negative if a goes before b.
func compareDeletion(a, b *corev1.Pod, onNode map[string]int, now time.Time) int {
	readySince := func(p *corev1.Pod) time.Time { since, _ := ReadySince(p); return since }
	_, aReady := ReadySince(a)
	_, bReady := ReadySince(b)
	return cmp.Or(
		falseFirst(a.Spec.NodeName != "", b.Spec.NodeName != ""),
		cmp.Compare(phaseRank(a), phaseRank(b)),
		falseFirst(aReady, bReady),
		cmp.Compare(deletionCost(a), deletionCost(b)),
		cmp.Compare(onNode[b.Spec.NodeName], onNode[a.Spec.NodeName]),
		compareAges(readySince(a), readySince(b), aReady && bReady, a, b, now),
		cmp.Compare(restarts(b), restarts(a)),
		compareAges(a.CreationTimestamp.Time, b.CreationTimestamp.Time, true, a, b, now),
		strings.Compare(string(a.UID), string(b.UID)),
	)
}

func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

func phaseRank(pod *corev1.Pod) int {
	switch pod.Status.Phase {
	case corev1.PodRunning:
		return 2
	case corev1.PodUnknown:
		return 1
	default:
		return 0
	}
}

// deletionCost is the annotation's; what is no number costs nothing.
func deletionCost(pod *corev1.Pod) int64 {
	cost, err := strconv.ParseInt(pod.Annotations[corev1.PodDeletionCost], 10, 32)
	if err != nil {
		return 0
	}
	return cost
}

func restarts(pod *corev1.Pod) (most int32) {
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		most = max(most, s.RestartCount)
	}
	return most
}

// compareAges puts the shorter time first, on a logarithmic scale: Pods of about the same age fall
// to their UIDs, which is as good as chance.
func compareAges(a, b time.Time, compared bool, podA, podB *corev1.Pod, now time.Time) int {
	if !compared || a.Equal(b) {
		return 0
	}
	return cmp.Or(cmp.Compare(magnitude(now.Sub(a)), magnitude(now.Sub(b))), strings.Compare(string(podA.UID), string(podB.UID)))
}

func magnitude(age time.Duration) int {
	if age <= 0 {
		return -1
	}
	return int(math.Log2(float64(age)))
}
