package proxy

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNotReady(t *testing.T) {
	waiting := corev1.ContainerStatus{Name: "web", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s"}}}
	waiting.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 3}
	running := corev1.ContainerStatus{Name: "web", Started: new(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	starting := running
	starting.Started = new(false)
	with := func(statuses ...corev1.ContainerStatus) corev1.Pod {
		return corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: statuses}}
	}
	deleted := with(running)
	deleted.DeletionTimestamp = new(metav1.Now())
	isReady := with(running)
	isReady.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	tests := map[string]struct {
		pod       corev1.Pod
		unhealthy string
		want      string
	}{
		"crash loop":  {with(waiting), "", "container web is waiting (CrashLoopBackOff): back-off 10s; it ended last with exit code 3"},
		"not ready":   {with(running), "Readiness probe failed: HTTP probe failed with statuscode: 500", "container web is not ready: Readiness probe failed: HTTP probe failed with statuscode: 500"},
		"not started": {with(starting), "", "container web has not started up"},
		"deleted":     {deleted, "", "is terminating"},
		"failed":      {corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed}}, "", "has ended: its phase is Failed"},
		"new":         {corev1.Pod{}, "", "has not started yet"},
		"ready":       {isReady, "", "is ready, but has no endpoint that takes requests: it is being restarted, refuses connections, or lacks the target port"},
	}
	for name, test := range tests {
		if _, got := whyNotReady(&test.pod, test.unhealthy); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
