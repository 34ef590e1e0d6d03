package system

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/node"
)

// maxLastOutput is how many bytes of a container's last line an error quotes.
const maxLastOutput = 300

// failure says which container made a Pod fail for good, how it ended, and what it printed last.
func (s *System) failure(pod *corev1.Pod) error {
	c, ok := failedContainer(&pod.Status)
	if !ok {
		return fmt.Errorf("pod %q failed for good", pod.Name)
	}
	text := fmt.Sprintf("pod %q failed for good: container %s %s", pod.Name, c.Name, endOf(c.State.Terminated))
	line, err := s.LastOutput(pod, c.Name, int(c.RestartCount))
	switch {
	case err != nil:
		return fmt.Errorf("%s; %w", text, err)
	case line == "":
		return fmt.Errorf("%s and printed nothing", text)
	}
	return fmt.Errorf("%s; its last line: %q", text, line[:min(len(line), maxLastOutput)])
}

// LastOutput is the last line that an instance of a container printed and that is not empty, "" if
// there is none; restarts counts the instances before. The text is what the program wrote: any
// bytes.
func (s *System) LastOutput(pod *corev1.Pod, container string, restarts int) (string, error) {
	return node.LastOutput(s.state.pods, pod, container, restarts)
}

// failedContainer is the one that ended last of those that failed.
func failedContainer(status *corev1.PodStatus) (failed corev1.ContainerStatus, ok bool) {
	for _, c := range slices.Concat(status.InitContainerStatuses, status.ContainerStatuses) {
		end := c.State.Terminated
		if end == nil || end.ExitCode == 0 || ok && end.FinishedAt.Before(&failed.State.Terminated.FinishedAt) {
			continue
		}
		failed, ok = c, true
	}
	return failed, ok
}

// endOf puts the end of a container into words.
func endOf(end *corev1.ContainerStateTerminated) string {
	if end.Signal != 0 {
		return fmt.Sprintf("was killed by signal %d (exit code %d)", end.Signal, end.ExitCode)
	}
	if end.Message != "" {
		return fmt.Sprintf("ended with code %d (%s: %s)", end.ExitCode, end.Reason, end.Message)
	}
	return fmt.Sprintf("exited with code %d", end.ExitCode)
}
