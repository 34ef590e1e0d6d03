package table

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// containerAt is what a container is at.
type containerAt = corev1.ContainerStatus

func waiting(reason string) containerAt {
	return containerAt{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}
}

func running(ready bool) containerAt {
	return containerAt{Ready: ready, Started: new(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
}

func starting() containerAt {
	return containerAt{Started: new(false), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
}

func ended(code, signal int32, reason string) containerAt {
	return containerAt{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Signal: signal, Reason: reason}}}
}

// restarted is a container that was restarted n times, since the last end of which some time has
// gone.
func restarted(c containerAt, n int32, since time.Duration) containerAt {
	c.RestartCount = n
	c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{FinishedAt: ago(since)}
	return c
}

// podOf is a Pod with some init containers, of which those with a name in capitals are sidecars,
// and some containers. There may be fewer statuses.
func podOf(phase corev1.PodPhase, inits, containers []string, initStatuses, statuses []containerAt) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: named("web"), Status: corev1.PodStatus{Phase: phase}}
	for i, name := range inits {
		c := corev1.Container{Name: name}
		if name < "a" {
			c.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		}
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, c)
		if i < len(initStatuses) {
			initStatuses[i].Name = name
		}
	}
	for i, name := range containers {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: name})
		if i < len(statuses) {
			statuses[i].Name = name
		}
	}
	pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses = initStatuses, statuses
	return pod
}

// with changes a Pod.
func with(pod *corev1.Pod, change func(*corev1.Pod)) *corev1.Pod {
	change(pod)
	return pod
}

func condition(kind corev1.PodConditionType, status corev1.ConditionStatus, reason string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: kind, Status: status, Reason: reason})
	}
}

func deleted(pod *corev1.Pod) { pod.DeletionTimestamp = new(ago(time.Second)) }

func TestPodStatus(t *testing.T) {
	const (
		pending, phaseRunning = corev1.PodPending, corev1.PodRunning
		succeeded, failed     = corev1.PodSucceeded, corev1.PodFailed
	)
	one, two := []string{"c"}, []string{"c", "d"}
	pod := func(phase corev1.PodPhase, statuses ...containerAt) *corev1.Pod {
		return podOf(phase, nil, two[:max(1, len(statuses))], nil, statuses)
	}
	init := func(phase corev1.PodPhase, inits []string, statuses ...containerAt) *corev1.Pod {
		return podOf(phase, inits, one, statuses, []containerAt{waiting("PodInitializing")})
	}
	ready := condition(corev1.PodReady, corev1.ConditionTrue, "")
	tests := map[string]struct {
		pod  *corev1.Pod
		want string // ready, status, restarts
	}{
		"just made":           {pod(pending), "0/1|Pending|0"},
		"gated":               {with(pod(pending), condition(corev1.PodScheduled, corev1.ConditionFalse, corev1.PodReasonSchedulingGated)), "0/1|SchedulingGated|0"},
		"not scheduled":       {with(pod(pending), condition(corev1.PodScheduled, corev1.ConditionFalse, corev1.PodReasonUnschedulable)), "0/1|Pending|0"},
		"being made":          {pod(pending, waiting("ContainerCreating")), "0/1|ContainerCreating|0"},
		"waits, nobody knows": {pod(pending, waiting("")), "0/1|Pending|0"},
		"runs":                {pod(phaseRunning, running(true)), "1/1|Running|0"},
		"is not ready":        {pod(phaseRunning, running(false)), "0/1|Running|0"},
		"one of two is ready": {pod(phaseRunning, running(true), running(false)), "1/2|Running|0"},
		"crashes":             {pod(phaseRunning, restarted(waiting("CrashLoopBackOff"), 3, 5*time.Minute)), "0/1|CrashLoopBackOff|3 (5m ago)"},
		"the first that waits": {
			pod(pending, waiting("CreateContainerConfigError"), waiting("ErrImagePull")), "0/2|CreateContainerConfigError|0",
		},
		"one waits beside one that runs": {pod(phaseRunning, running(true), waiting("CrashLoopBackOff")), "1/2|CrashLoopBackOff|0"},
		"restarts of all, the last end": {
			pod(phaseRunning, restarted(running(true), 1, time.Hour), restarted(running(true), 2, time.Minute)), "2/2|Running|3 (60s ago)",
		},
		"restarts whose ends nobody knows": {pod(phaseRunning, containerAt{RestartCount: 2, Ready: true, State: running(true).State}), "1/1|Running|2"},
		"an end without a restart":         {pod(phaseRunning, restarted(running(true), 0, time.Minute)), "1/1|Running|0"},

		"succeeded":                      {pod(succeeded, ended(0, 0, "Completed")), "0/1|Completed|0"},
		"failed":                         {pod(failed, ended(1, 0, "Error")), "0/1|Error|0"},
		"failed by status alone":         {pod(failed), "0/1|Failed|0"},
		"evicted":                        {with(pod(failed), func(p *corev1.Pod) { p.Status.Reason = "Evicted" }), "0/1|Evicted|0"},
		"an exit code without a reason":  {pod(failed, ended(3, 0, "")), "0/1|ExitCode:3|0"},
		"a signal without a reason":      {pod(failed, ended(137, 9, "")), "0/1|Signal:9|0"},
		"completed beside a ready one":   {with(pod(phaseRunning, ended(0, 0, "Completed"), running(true)), ready), "1/2|Running|0"},
		"completed beside a running one": {pod(phaseRunning, ended(0, 0, "Completed"), running(true)), "1/2|NotReady|0"},
		"completed beside one that is not ready": {
			pod(phaseRunning, ended(0, 0, "Completed"), running(false)), "0/2|Completed|0",
		},
		"completed before a failed one": {pod(failed, ended(0, 0, "Completed"), ended(2, 0, "Error")), "0/2|Error|0"},
		"completed after a failed one":  {pod(failed, ended(2, 0, "Error"), ended(0, 0, "Completed")), "0/2|Error|0"},

		"is being stopped":        {with(pod(phaseRunning, running(true)), deleted), "1/1|Terminating|0"},
		"stopped before it began": {with(pod(pending, waiting("ContainerCreating")), deleted), "0/1|Terminating|0"},
		"stopped, but failed":     {with(pod(failed, ended(1, 0, "Error")), deleted), "0/1|Error|0"},
		"stopped, but succeeded":  {with(pod(succeeded, ended(0, 0, "Completed")), deleted), "0/1|Completed|0"},
		"its node is lost":        {with(with(pod(phaseRunning, running(true)), deleted), func(p *corev1.Pod) { p.Status.Reason = "NodeLost" }), "1/1|Unknown|0"},

		"init: the first of two":       {init(pending, []string{"a", "b"}, running(false), waiting("PodInitializing")), "0/1|Init:0/2|0"},
		"init: the second of two":      {init(pending, []string{"a", "b"}, ended(0, 0, "Completed"), running(false)), "0/1|Init:1/2|0"},
		"init: waits for initializing": {init(pending, []string{"a"}, waiting("PodInitializing")), "0/1|Init:0/1|0"},
		"init: error":                  {init(pending, []string{"a"}, ended(1, 0, "Error")), "0/1|Init:Error|0"},
		"init: exit code":              {init(pending, []string{"a"}, ended(1, 0, "")), "0/1|Init:ExitCode:1|0"},
		"init: signal":                 {init(pending, []string{"a"}, ended(143, 15, "")), "0/1|Init:Signal:15|0"},
		"init: crashes":                {init(pending, []string{"a"}, restarted(waiting("CrashLoopBackOff"), 4, 30*time.Second)), "0/1|Init:CrashLoopBackOff|4 (30s ago)"},
		"init: restarts of the second do not count while the first runs": {
			init(pending, []string{"a", "b"}, running(false), restarted(waiting("PodInitializing"), 7, time.Minute)), "0/1|Init:0/2|0",
		},
		"init: done": {
			podOf(phaseRunning, []string{"a"}, one, []containerAt{restarted(ended(0, 0, "Completed"), 5, time.Minute)}, []containerAt{running(true)}), "1/1|Running|0",
		},
		"init: done, the next is made": {init(pending, []string{"a"}, ended(0, 0, "Completed")), "0/1|PodInitializing|0"},
		"init: once done, it stays so": {
			with(podOf(phaseRunning, []string{"a"}, one, []containerAt{running(false)}, []containerAt{running(true)}), condition(corev1.PodInitialized, corev1.ConditionTrue, "")),
			"1/1|Init:0/1|0",
		},

		"sidecar: starts":           {init(pending, []string{"S"}, starting()), "0/2|Init:0/1|0"},
		"sidecar: has started":      {init(pending, []string{"S", "a"}, running(true), running(false)), "1/2|Init:1/2|0"},
		"sidecar: runs":             {podOf(phaseRunning, []string{"S"}, one, []containerAt{running(true)}, []containerAt{running(true)}), "2/2|Running|0"},
		"sidecar: is not ready":     {podOf(phaseRunning, []string{"S"}, one, []containerAt{running(false)}, []containerAt{running(true)}), "1/2|Running|0"},
		"sidecar: restarts counted": {podOf(phaseRunning, []string{"a", "S"}, one, []containerAt{restarted(ended(0, 0, ""), 8, time.Second), restarted(running(true), 2, time.Hour)}, []containerAt{restarted(running(true), 1, 2*time.Hour)}), "2/2|Running|3 (60m ago)"},
		"sidecar: crashes after it started": {
			with(podOf(phaseRunning, []string{"S"}, one, []containerAt{restarted(waiting("CrashLoopBackOff"), 2, time.Minute)}, []containerAt{running(true)}), condition(corev1.PodInitialized, corev1.ConditionTrue, "")),
			"1/2|Init:CrashLoopBackOff|2 (60s ago)",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, joined(t, Row(test.pod, now).Cells[1:4])); diff != "" {
				t.Errorf("ready, status and restarts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPodWide(t *testing.T) {
	gates := []corev1.PodReadinessGate{{ConditionType: "in"}, {ConditionType: "out"}, {ConditionType: "missing"}}
	pod := &corev1.Pod{
		ObjectMeta: named("web"),
		Spec:       corev1.PodSpec{NodeName: "probity", ReadinessGates: gates},
		Status: corev1.PodStatus{
			PodIP: "127.64.0.1", PodIPs: []corev1.PodIP{{IP: "127.64.0.1"}, {IP: "::1"}}, NominatedNodeName: "other",
			Conditions: []corev1.PodCondition{{Type: "in", Status: corev1.ConditionTrue}, {Type: "out", Status: corev1.ConditionFalse}},
		},
	}
	if diff := cmp.Diff("web|0/0||0|5m|127.64.0.1|probity|other|1/3", cellsOf(t, pod)); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	pod.Status.PodIP, pod.Status.PodIPs = "", pod.Status.PodIPs[:1]
	if diff := cmp.Diff("127.64.0.1", Row(pod, now).Cells[5]); diff != "" {
		t.Errorf("the address of a Pod with a list alone (-want +got):\n%s", diff)
	}
}

func TestPodConditions(t *testing.T) {
	completed := func(reason, message string) []metav1.TableRowCondition {
		return []metav1.TableRowCondition{{Type: metav1.RowCompleted, Status: metav1.ConditionTrue, Reason: reason, Message: message}}
	}
	for phase, want := range map[corev1.PodPhase][]metav1.TableRowCondition{
		corev1.PodPending:   nil,
		corev1.PodRunning:   nil,
		corev1.PodSucceeded: completed("Succeeded", "The pod has completed successfully."),
		corev1.PodFailed:    completed("Failed", "The pod failed."),
	} {
		if diff := cmp.Diff(want, Row(&corev1.Pod{Status: corev1.PodStatus{Phase: phase}}, now).Conditions); diff != "" {
			t.Errorf("conditions in phase %s (-want +got):\n%s", phase, diff)
		}
	}
}
