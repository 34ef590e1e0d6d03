package cli

import (
	"context"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/view"
)

const (
	// maxAsked is how many containers are asked for their last words.
	maxAsked = 10
	// lastLines is how many lines are read to find one that is not empty.
	lastLines = 5
	// maxLastWords is how many bytes of them are read.
	maxLastWords = 1 << 20
)

// lastWords asks for the last line of each container that has failed and does not run.
func lastWords(ctx context.Context, client *kube.Client, s *kube.Snapshot) view.LastWords {
	words := view.LastWords{}
	for i := range s.Pods {
		pod := &s.Pods[i]
		for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			if len(words) == maxAsked {
				return words
			}
			if hasFailed(&status) {
				words[view.InstanceOf(pod, status.Name)] = lastLine(ctx, client, pod, status.Name)
			}
		}
	}
	return words
}

func hasFailed(status *corev1.ContainerStatus) bool {
	end := status.State.Terminated
	if end == nil && status.State.Running == nil {
		end = status.LastTerminationState.Terminated
	}
	return end != nil && end.ExitCode != 0
}

// lastLine is the last line of a container that is not empty; "" if there is none, or nobody tells:
// what is shown does without.
func lastLine(ctx context.Context, client *kube.Client, pod *corev1.Pod, container string) string {
	log, err := client.Log(ctx, kube.RefTo(pod), kube.LogOptions{Container: container, Tail: new(int64(lastLines))})
	if err != nil {
		return ""
	}
	defer log.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(log, maxLastWords))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}
