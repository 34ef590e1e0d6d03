package history

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func statusOf(phase corev1.PodPhase, ready corev1.ConditionStatus, containers ...corev1.ContainerStatus) corev1.PodStatus {
	return corev1.PodStatus{Phase: phase, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}, ContainerStatuses: containers}
}

func waiting(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

func runs(started, ready bool) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "app", Started: &started, Ready: ready, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
}

func TestChanges(t *testing.T) {
	var r Recorder
	p, at := r.Add("uid"), start
	for _, status := range []corev1.PodStatus{
		statusOf(corev1.PodPending, "False", waiting("ContainerCreating", "")),
		statusOf(corev1.PodRunning, "False", runs(true, false)),
		statusOf(corev1.PodRunning, "False", runs(true, false)),
		statusOf(corev1.PodRunning, "True", runs(true, true)),
		statusOf(corev1.PodRunning, "False", waiting("CrashLoopBackOff", "back-off 10s")),
	} {
		p.Status(status, at)
		at = at.Add(time.Second)
	}
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	want := []Change{
		{Time: second(0), Kind: StateChanged, Container: "app", To: "ContainerCreating"},
		{Time: second(0), Kind: StartedChanged, Container: "app", To: "False"},
		{Time: second(0), Kind: ReadyChanged, Container: "app", To: "False"},
		{Time: second(0), Kind: PhaseChanged, To: "Pending"},
		{Time: second(0), Kind: ReadyChanged, To: "False"},
		{Time: second(1), Kind: StateChanged, Container: "app", From: "ContainerCreating", To: "Running"},
		{Time: second(1), Kind: StartedChanged, Container: "app", From: "False", To: "True"},
		{Time: second(1), Kind: PhaseChanged, From: "Pending", To: "Running"},
		{Time: second(3), Kind: ReadyChanged, Container: "app", From: "False", To: "True"},
		{Time: second(3), Kind: ReadyChanged, From: "False", To: "True"},
		{Time: second(4), Kind: StateChanged, Container: "app", From: "Running", To: "CrashLoopBackOff", Message: "back-off 10s"},
		{Time: second(4), Kind: StartedChanged, Container: "app", From: "True", To: "False"},
		{Time: second(4), Kind: ReadyChanged, Container: "app", From: "True", To: "False"},
		{Time: second(4), Kind: ReadyChanged, From: "True", To: "False"},
	}
	if diff := cmp.Diff(want, r.Reader().Changes("uid")); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// What is acted upon of a probe is a change of the Pod; a new instance begins anew.
func TestProbeChanges(t *testing.T) {
	var r Recorder
	p := r.Add("uid")
	probe := p.Probe(Key{"app", "Liveness"}, Probing{"tcp :80", 1, 2})
	for i, a := range []Attempt{
		{Outcome: Answered, Result: Passing},
		{Outcome: Failed, Result: Passing, Message: "refused"},
		{Outcome: Failed, Result: Failing, Message: "refused"},
		{Outcome: Answered, Result: Passing, Instance: 1},
	} {
		a.Time = start.Add(time.Duration(i) * time.Second)
		p.Attempt(probe, a, Detail{})
	}
	want := []Change{
		{Time: start, Kind: ProbeChanged, Container: "app", Probe: "Liveness", From: "not known", To: "passing"},
		{Time: start.Add(2 * time.Second), Kind: ProbeChanged, Container: "app", Probe: "Liveness", From: "passing", To: "failing", Message: "refused"},
		{Time: start.Add(3 * time.Second), Kind: ProbeChanged, Container: "app", Probe: "Liveness", From: "not known", To: "passing"},
	}
	if diff := cmp.Diff(want, r.Reader().Changes("uid")); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestInstances(t *testing.T) {
	var r Recorder
	p, reader := r.Add("uid"), r.Reader()
	p.Started(Instance{Container: "app", Started: start})
	p.Started(Instance{Container: "side", Started: start})
	before := reader.Instances("uid")
	p.Ended(Instance{Container: "app", Started: start, Ended: start.Add(time.Second), ExitCode: 7, LastLines: []string{"a", strings.Repeat("b", 300)}})
	p.Started(Instance{Container: "app", Number: 1, Started: start.Add(2 * time.Second)})
	want := []Instance{
		{Container: "app", Started: start, Ended: start.Add(time.Second), ExitCode: 7, LastLines: []string{"a", strings.Repeat("b", MaxMessage)}},
		{Container: "side", Started: start},
		{Container: "app", Number: 1, Started: start.Add(2 * time.Second)},
	}
	if diff := cmp.Diff(want, reader.Instances("uid")); diff != "" {
		t.Errorf("instances (-want +got):\n%s", diff)
	}
	if len(before) != 2 || !before[0].Ended.IsZero() {
		t.Errorf("what a reader had taken became %+v", before)
	}
}

func TestPodsAreBounded(t *testing.T) {
	var r Recorder
	p := r.Add("uid")
	for i := range 1000 {
		p.Started(Instance{Container: "app", Number: i})
		p.Ended(Instance{Container: "app", Number: i, ExitCode: 1})
		p.Status(corev1.PodStatus{Phase: []corev1.PodPhase{corev1.PodRunning, corev1.PodPending}[i%2]}, start)
	}
	instances, changes := r.Reader().Instances("uid"), r.Reader().Changes("uid")
	if len(instances) != maxChanges || instances[maxChanges-1].Number != 999 || len(changes) != maxChanges {
		t.Errorf("%d instances and %d changes are kept, want the last %d", len(instances), len(changes), maxChanges)
	}
}

// Of a Pod that is not known, or not any more, there is nothing.
func TestRemovedPod(t *testing.T) {
	var r Recorder
	p, reader, key := r.Add("uid"), r.Reader(), Key{"app", "Liveness"}
	p.Attempt(p.Probe(key, Probing{"tcp :80", 1, 3}), Attempt{Time: start, Result: Passing}, Detail{})
	if len(reader.Probes("uid")) != 1 || len(reader.Attempts("uid", key, 0)) != 1 || len(reader.Details("uid", key)) != 1 {
		t.Error("the attempt is not there")
	}
	r.Remove("uid")
	if got := len(reader.Probes("uid")) + len(reader.Attempts("uid", key, 0)) + len(reader.Details("uid", key)) + len(reader.Minutes("uid", key)) +
		len(reader.Changes("uid")) + len(reader.Instances("uid")); got != 0 {
		t.Errorf("%d records are left", got)
	}
}
