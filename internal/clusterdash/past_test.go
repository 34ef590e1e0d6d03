package clusterdash

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
)

var noon = time.Date(2026, 11, 4, 12, 0, 0, 0, time.UTC)

// at is an instant of the tests, in seconds after noon.
func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second).Local() }

func stamp(seconds int) metav1.Time { return metav1.Time{Time: at(seconds)} }

// newPod is a Pod with three probes that has run since noon, in its first state.
func newPod(change func(*corev1.ContainerStatus)) *corev1.Pod {
	probe := &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/"}}}
	status := corev1.ContainerStatus{Name: "app", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: stamp(0)}}}
	change(&status)
	ready := corev1.ConditionFalse
	if status.Ready {
		ready = corev1.ConditionTrue
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", UID: "1", ResourceVersion: "1", CreationTimestamp: stamp(-1)},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", StartupProbe: probe, ReadinessProbe: probe, LivenessProbe: probe}}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{status},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready, LastTransitionTime: stamp(5)}},
		},
	}
}

// newEvent is one about the container of that Pod.
func newEvent(uid types.UID, reason, message string, count int32, first, last int) *corev1.Event {
	event := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: string(uid), UID: uid}, Reason: reason, Message: message, Count: count, FirstTimestamp: stamp(first), LastTimestamp: stamp(last),
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", UID: "1", FieldPath: "spec.containers{app}"},
	}
	timeEvent(event)
	return event
}

// attempts are what is recorded of a probe, in short.
func attempts(h *past, probe string) (all []history.Attempt) {
	for _, a := range h.recorder.Reader().Attempts("1", history.Key{Container: "app", Type: probe}, 0) {
		all = append(all, history.Attempt{Time: a.Time, Outcome: a.Outcome, NotYet: a.NotYet, Told: a.Told, Instance: a.Instance, Message: a.Message})
	}
	return all
}

// TestToldAttempts: an Event is a failure at the times that it tells, and each time that it happens
// again; what nobody counted is not counted.
func TestToldAttempts(t *testing.T) {
	h, pod := newPast(), newPod(func(*corev1.ContainerStatus) {})
	event := newEvent("a", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503", 3, 10, 30)
	h.see([]*corev1.Pod{pod}, []*corev1.Event{event}, at(40))
	h.see([]*corev1.Pod{pod}, []*corev1.Event{event}, at(41))
	want := []history.Attempt{
		{Time: at(10), Outcome: history.Failed, Told: true, Message: "HTTP probe failed with statuscode: 503"},
		{Time: at(30), Outcome: history.Failed, Told: true, Message: "HTTP probe failed with statuscode: 503"},
	}
	if diff := cmp.Diff(want, attempts(h, "Liveness")); diff != "" {
		t.Errorf("at first (-want +got):\n%s", diff)
	}
	again := event.DeepCopy()
	again.Count, again.LastTimestamp = 7, stamp(50)
	timeEvent(again)
	h.see([]*corev1.Pod{pod}, []*corev1.Event{again}, at(51))
	want = append(want, history.Attempt{Time: at(50), Outcome: history.Failed, Told: true, Message: "HTTP probe failed with statuscode: 503"})
	if diff := cmp.Diff(want, attempts(h, "Liveness")); diff != "" {
		t.Errorf("later (-want +got):\n%s", diff)
	}
	if got := h.recorder.Reader().Probes("1")[0].Latest; got.Run != 0 || got.Result != history.NotKnown {
		t.Errorf("the counter is %d and the result %v, though nobody told them", got.Run, got.Result)
	}
	h.see(nil, nil, at(60))
	if got := attempts(h, "Liveness"); got != nil {
		t.Errorf("of a Pod that is gone there are %v", got)
	}
}

// TestToldOutcomes: what became of an attempt, by the kubelet's words.
func TestToldOutcomes(t *testing.T) {
	unready := func(s *corev1.ContainerStatus) { s.Ready = false }
	restarted := func(s *corev1.ContainerStatus) { s.RestartCount, s.State.Running.StartedAt = 2, stamp(100) }
	for name, test := range map[string]struct {
		change  func(*corev1.ContainerStatus)
		reason  string
		message string
		probe   string
		want    history.Attempt
	}{
		"a timeout":                  {nil, "Unhealthy", "Liveness probe failed: Get \"http://10.0.0.1/\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "Liveness", history.Attempt{Outcome: history.TimedOut}},
		"of the instance before":     {restarted, "Unhealthy", "Liveness probe failed: x", "Liveness", history.Attempt{Outcome: history.Failed, Instance: 1}},
		"readiness before it was so": {nil, "Unhealthy", "Readiness probe failed: x", "Readiness", history.Attempt{Outcome: history.Failed, NotYet: true}},
		"readiness after it was so":  {unready, "Unhealthy", "Readiness probe failed: x", "Readiness", history.Attempt{Outcome: history.Failed}},
		"startup":                    {nil, "Unhealthy", "Startup probe failed: x", "Startup", history.Attempt{Outcome: history.Failed, NotYet: true}},
		"an error of the prober":     {nil, "Unhealthy", "Readiness probe errored and resulted in unknown state: x", "Readiness", history.Attempt{Outcome: history.NoVerdict}},
		"a warning":                  {nil, "ProbeWarning", "Liveness probe warning: x", "Liveness", history.Attempt{Outcome: history.Warning}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.change == nil {
				test.change = func(*corev1.ContainerStatus) {}
			}
			h := newPast()
			h.see([]*corev1.Pod{newPod(test.change)}, []*corev1.Event{newEvent("a", test.reason, test.message, 1, 3, 3)}, at(200))
			got := attempts(h, test.probe)
			if len(got) != 1 {
				t.Fatalf("there are %d attempts, want 1", len(got))
			}
			got[0].Message = ""
			test.want.Time, test.want.Told = at(3), true
			if diff := cmp.Diff(test.want, got[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, message := range []string{"", "Liveness probe failed", "no probe failed: x", "Liveness probe: x", "Sleep probe failed: x"} {
		if _, ok := parseEvent(newEvent("a", "Unhealthy", message, 1, 0, 0)); ok {
			t.Errorf("%q is taken for one of a probe", message)
		}
	}
}

// TestToldInstances: how instances ended is what the status tells; why, what an Event tells, before
// or after it.
func TestToldInstances(t *testing.T) {
	end := &corev1.ContainerStateTerminated{StartedAt: stamp(0), FinishedAt: stamp(20), ExitCode: 143}
	restarted := newPod(func(s *corev1.ContainerStatus) {
		s.RestartCount, s.State.Running.StartedAt, s.LastTerminationState.Terminated = 1, stamp(21), end
	})
	waits := newPod(func(s *corev1.ContainerStatus) {
		s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
		s.LastTerminationState.Terminated = end
	})
	kill := newEvent("k", "Killing", "Container app failed liveness probe, will be restarted", 1, 19, 19)
	killed := history.Instance{Container: "app", Started: at(0), Ended: at(20), ExitCode: 143, Cause: kill.Message, Probe: "Liveness", LastLines: []string{}}
	unknown := history.Instance{Container: "app", Started: at(0), Ended: at(20), ExitCode: 143, LastLines: []string{}}
	for name, test := range map[string]struct {
		pod    *corev1.Pod
		events []*corev1.Event
		want   []history.Instance
	}{
		"killed":             {restarted, []*corev1.Event{kill}, []history.Instance{killed, {Container: "app", Number: 1, Started: at(21)}}},
		"by nobody knows":    {restarted, nil, []history.Instance{unknown, {Container: "app", Number: 1, Started: at(21)}}},
		"an earlier Event":   {restarted, []*corev1.Event{newEvent("k", "Killing", kill.Message, 1, -100, -100)}, []history.Instance{unknown, {Container: "app", Number: 1, Started: at(21)}}},
		"waits for its turn": {waits, []*corev1.Event{kill}, []history.Instance{killed}},
	} {
		h := newPast()
		h.see([]*corev1.Pod{test.pod}, nil, at(30))
		h.see([]*corev1.Pod{test.pod}, test.events, at(31))
		if diff := cmp.Diff(test.want, h.recorder.Reader().Instances("1")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestToldChanges: a Pod that is seen for the first time is as it is since its condition says so,
// and not since it was seen.
func TestToldChanges(t *testing.T) {
	h := newPast()
	h.see([]*corev1.Pod{newPod(func(*corev1.ContainerStatus) {})}, nil, at(600))
	later := newPod(func(s *corev1.ContainerStatus) { s.Ready = false })
	later.ResourceVersion = "2"
	h.see([]*corev1.Pod{later}, nil, at(700))
	var got []string
	for _, c := range h.recorder.Reader().Changes("1") {
		if c.Kind == history.ReadyChanged && c.Container == "" {
			got = append(got, c.To+" at "+c.Time.Sub(noon).String())
		}
	}
	if diff := cmp.Diff([]string{"True at 5s", "False at 11m40s"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
