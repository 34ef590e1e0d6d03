package table

import (
	"cmp"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// podSummary is what kubectl get pods says of the containers of a Pod.
type podSummary struct {
	status       string
	ready, total int
	restarts     restarts
}

// nodeLost is the status.reason of a Pod whose node does not answer any more.
const nodeLost = "NodeLost"

func summarize(pod *corev1.Pod) podSummary {
	s := podSummary{status: cmp.Or(pod.Status.Reason, string(pod.Status.Phase)), total: len(pod.Spec.Containers)}
	if isGated(pod) {
		s.status = corev1.PodReasonSchedulingGated
	}
	sidecars, initialized := s.addInitContainers(pod)
	if initialized || isTrue(pod, corev1.PodInitialized) {
		s.restarts = sidecars // what it took to initialize the Pod is over
		s.addContainers(pod)
	}
	if pod.DeletionTimestamp != nil {
		switch {
		case pod.Status.Reason == nodeLost:
			s.status = "Unknown"
		case pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed:
			s.status = "Terminating"
		}
	}
	return s
}

// isGated reports whether a Pod waits for somebody to let it be scheduled.
func isGated(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonSchedulingGated
	})
}

// addInitContainers adds the init containers up to the first that is not done, which is what the
// status tells of; initialized reports that there is none. It returns the restarts of sidecars
// alone.
func (s *podSummary) addInitContainers(pod *corev1.Pod) (sidecars restarts, initialized bool) {
	isSidecar := map[string]bool{}
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		isSidecar[c.Name] = c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		if isSidecar[c.Name] {
			s.total++
		}
	}
	for i := range pod.Status.InitContainerStatuses {
		c := &pod.Status.InitContainerStatuses[i]
		s.restarts.add(c)
		if isSidecar[c.Name] {
			sidecars.add(c)
		}
		switch {
		case c.State.Terminated != nil && c.State.Terminated.ExitCode == 0:
		case isSidecar[c.Name] && c.Started != nil && *c.Started:
			if c.Ready {
				s.ready++
			}
		default:
			s.status = "Init:" + initState(c, i, len(pod.Spec.InitContainers))
			return sidecars, false
		}
	}
	return sidecars, true
}

// initState is what an init container is at that holds up its Pod: the i-th of n, counted from 0.
func initState(c *corev1.ContainerStatus, i, n int) string {
	waiting := c.State.Waiting
	switch {
	case c.State.Terminated != nil:
		return endOf(c.State.Terminated)
	case waiting != nil && waiting.Reason != "" && waiting.Reason != "PodInitializing":
		return waiting.Reason
	}
	return fraction(i, n)
}

// addContainers adds the containers of a Pod that is initialized. The first of them that waits or
// has ended gives the status.
func (s *podSummary) addContainers(pod *corev1.Pod) {
	running, failure := false, ""
	for i := range slices.Backward(pod.Status.ContainerStatuses) {
		c := &pod.Status.ContainerStatuses[i]
		s.restarts.add(c)
		waiting, ended := c.State.Waiting, c.State.Terminated
		switch {
		case waiting != nil && waiting.Reason != "":
			s.status = waiting.Reason
		case ended != nil:
			s.status = endOf(ended)
			if ended.ExitCode != 0 {
				failure = s.status
			}
		case c.Ready && c.State.Running != nil:
			running = true
			s.ready++
		}
	}
	if s.status == "Completed" { // of that container; the Pod may have others
		switch {
		case running && isTrue(pod, corev1.PodReady):
			s.status = string(corev1.PodRunning)
		case failure != "":
			s.status = failure
		case running:
			s.status = "NotReady"
		}
	}
}

// endOf is how a container ended, in a word.
func endOf(ended *corev1.ContainerStateTerminated) string {
	switch {
	case ended.Reason != "":
		return ended.Reason
	case ended.Signal != 0:
		return "Signal:" + strconv.Itoa(int(ended.Signal))
	}
	return "ExitCode:" + strconv.Itoa(int(ended.ExitCode))
}
