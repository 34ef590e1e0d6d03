package workload

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// ReadySince reports whether a Pod's Ready condition is True, and since when, to the second.
func ReadySince(pod *corev1.Pod) (since time.Time, ready bool) {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.LastTransitionTime.Time, c.Status == corev1.ConditionTrue
		}
	}
	return time.Time{}, false
}

// AvailableAt is when a Pod that is Ready has been so for minReadySeconds, counted from the whole
// second of its last transition, and from when on it counts as available (R211). A Pod that is not
// Ready has no such time.
func AvailableAt(pod *corev1.Pod, minReadySeconds int32) (at time.Time, ready bool) {
	since, ready := ReadySince(pod)
	if !ready || minReadySeconds <= 0 {
		return time.Time{}, ready
	}
	return since.Add(time.Duration(minReadySeconds) * time.Second), true
}

// Available reports whether a Pod is Ready and was long enough (R211).
func Available(pod *corev1.Pod, minReadySeconds int32, now time.Time) bool {
	at, ready := AvailableAt(pod, minReadySeconds)
	return ready && !now.Before(at)
}

// IsFinished reports whether a Pod's phase is terminal: nothing of it runs any more.
func IsFinished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// IsActive reports whether a Pod counts as a replica: it is neither finished nor terminating.
func IsActive(pod *corev1.Pod) bool { return !IsFinished(pod) && pod.DeletionTimestamp == nil }

// MayRun reports whether processes of a Pod may be alive: it is not finished, though perhaps
// terminating.
func MayRun(pod *corev1.Pod) bool { return !IsFinished(pod) }

// ReplicaCount is what a ReplicaSet's status says of its Pods.
type ReplicaCount struct{ Replicas, Ready, Available, Terminating int }

// CountReplicas counts Pods. again is when the next of them becomes available if nothing happens;
// zero means that none will.
func CountReplicas(pods []*corev1.Pod, minReadySeconds int32, now time.Time) (n ReplicaCount, again time.Time) {
	for _, pod := range pods {
		if !IsActive(pod) {
			if MayRun(pod) {
				n.Terminating++
			}
			continue
		}
		n.Replicas++
		at, ready := AvailableAt(pod, minReadySeconds)
		switch {
		case ready && !now.Before(at):
			n.Ready, n.Available = n.Ready+1, n.Available+1
		case ready:
			n.Ready++
			again = Sooner(again, at)
		}
	}
	return n, again
}

// Sooner is the earlier of two instants; zero means never.
func Sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// ReplicaStep is how many Pods a ReplicaSet has to make or to delete now. If stopFirst, a Pod that
// still terminates keeps its successor waiting, because both would want the same port.
func ReplicaStep(size int, n ReplicaCount, stopFirst bool) (create, remove int) {
	if n.Replicas > size {
		return 0, n.Replicas - size
	}
	create = size - n.Replicas
	if stopFirst {
		create = max(create-n.Terminating, 0)
	}
	return create, 0
}

// ReplaceAt limits how fast a ReplicaSet replaces Pods that finish for good, as the kubelet limits
// restarts: the first successor starts at once, later ones wait 10 s, 20 s … 300 s after the end of
// the last one. Kubernetes has no such limit; here nothing else would slow down a program that ends
// at once. finished are the Pods of the set that ended; those whose end is more than 10 minutes ago
// count no more. A zero time means now.
func ReplaceAt(finished []*corev1.Pod, now time.Time) (at time.Time) {
	var newest time.Time
	recent := 0
	for _, pod := range finished {
		if end := endOf(pod); now.Sub(end) <= lifecycle.BackoffExpiry {
			recent++
			if end.After(newest) {
				newest = end
			}
		}
	}
	if recent < 2 {
		return time.Time{}
	}
	delay := min(lifecycle.InitialBackoff<<min(recent-2, 10), lifecycle.MaxBackoff)
	if at = newest.Add(delay); !now.Before(at) {
		return time.Time{}
	}
	return at
}

// endOf is when the last container of a finished Pod ended, else when the Pod was made.
func endOf(pod *corev1.Pod) time.Time {
	end := pod.CreationTimestamp.Time
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if t := s.State.Terminated; t != nil && t.FinishedAt.After(end) {
			end = t.FinishedAt.Time
		}
	}
	return end
}

// Superseded are finished Pods that nobody needs any more: all but the newest few of a set.
func Superseded(finished []*corev1.Pod) []*corev1.Pod {
	const kept = 10 // enough for the back-off to reach its cap
	byEnd := slices.SortedStableFunc(slices.Values(finished), func(a, b *corev1.Pod) int { return endOf(b).Compare(endOf(a)) })
	return byEnd[min(len(byEnd), kept):]
}
