package workload

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// noon is an instant that is no whole second.
func noon() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 500_000_000, time.UTC) }

// replica makes a running Pod that is Ready since the given time before noon's second; negative
// means not Ready.
func replica(name string, ready time.Duration, change ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Name, pod.UID, pod.Spec.NodeName = name, types.UID(name), "n"
	pod.CreationTimestamp = metav1.NewTime(noon().Truncate(time.Second).Add(-24 * time.Hour))
	pod.Status.Phase, pod.Status.PodIP = corev1.PodRunning, "127.0.0.1"
	condition := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: pod.CreationTimestamp}
	if ready >= 0 {
		condition.Status, condition.LastTransitionTime = corev1.ConditionTrue, metav1.NewTime(noon().Truncate(time.Second).Add(-ready))
	}
	pod.Status.Conditions = []corev1.PodCondition{condition}
	for _, c := range change {
		c(pod)
	}
	return pod
}

func inPhase(p corev1.PodPhase) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Status.Phase = p }
}
func deleted(pod *corev1.Pod) { pod.DeletionTimestamp = new(metav1.NewTime(noon())) }

func TestAvailable(t *testing.T) { // P05 R211
	since := noon().Truncate(time.Second).Add(-3 * time.Second)
	pod := replica("a", 3*time.Second)
	for _, tt := range []struct {
		minReady int32
		now      time.Time
		want     bool
	}{
		{0, since, true},
		{3, since.Add(3*time.Second - time.Nanosecond), false},
		{3, since.Add(3 * time.Second), true}, // the boundary is inclusive
		{4, noon(), false},
	} {
		if got := Available(pod, tt.minReady, tt.now); got != tt.want {
			t.Errorf("minReadySeconds %d, Ready for %v: available %v, want %v", tt.minReady, tt.now.Sub(since), got, tt.want)
		}
	}
	if Available(replica("b", -1), 0, noon()) {
		t.Error("a Pod that is not Ready is available")
	}
	if Available(&corev1.Pod{}, 0, noon()) {
		t.Error("a Pod without conditions is available")
	}
}

func TestCountReplicas(t *testing.T) {
	pods := []*corev1.Pod{
		replica("available", time.Minute),
		replica("ready", 2*time.Second),
		replica("ready later", time.Second),
		replica("not ready", -1),
		replica("terminating", time.Minute, deleted),
		replica("finished", -1, inPhase(corev1.PodFailed)),
		replica("finished and deleted", -1, inPhase(corev1.PodSucceeded), deleted),
	}
	n, again := CountReplicas(pods, 10, noon())
	if want := (ReplicaCount{Replicas: 4, Ready: 3, Available: 1, Terminating: 1}); n != want {
		t.Errorf("%+v, want %+v", n, want)
	}
	if want := noon().Truncate(time.Second).Add(8 * time.Second); !again.Equal(want) {
		t.Errorf("again at %v, want %v", again, want)
	}
}

func TestReplicaStep(t *testing.T) {
	for _, tt := range []struct {
		size           int
		n              ReplicaCount
		stopFirst      bool
		create, remove int
	}{
		{3, ReplicaCount{}, false, 3, 0},
		{3, ReplicaCount{Replicas: 3}, false, 0, 0},
		{3, ReplicaCount{Replicas: 2, Terminating: 2}, false, 1, 0}, // P10 R210: it does not wait
		{1, ReplicaCount{Terminating: 1}, true, 0, 0},
		{3, ReplicaCount{Replicas: 1, Terminating: 1}, true, 1, 0},
		{1, ReplicaCount{Terminating: 3}, true, 0, 0},
		{1, ReplicaCount{}, true, 1, 0},
		{1, ReplicaCount{Replicas: 3}, true, 0, 2},
	} {
		if create, remove := ReplicaStep(tt.size, tt.n, tt.stopFirst); create != tt.create || remove != tt.remove {
			t.Errorf("%d of %+v, stop first %v: create %d, remove %d, want %d and %d", tt.size, tt.n, tt.stopFirst, create, remove, tt.create, tt.remove)
		}
	}
}

func TestVictims(t *testing.T) { // P15 R218: each rule against all that come after it
	costs := func(n string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Annotations = map[string]string{corev1.PodDeletionCost: n} }
	}
	onNode := func(n string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = n } }
	restarted := func(n int32) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: n}} }
	}
	created := func(age time.Duration) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.CreationTimestamp = metav1.NewTime(noon().Add(-age)) }
	}
	for name, tt := range map[string]struct{ victim, other *corev1.Pod }{
		"unscheduled":               {replica("z", -1, onNode("")), replica("a", -1, inPhase(corev1.PodPending), costs("-5"))},
		"Pending":                   {replica("z", -1, inPhase(corev1.PodPending)), replica("a", -1, inPhase(corev1.PodUnknown))},
		"Unknown":                   {replica("z", -1, inPhase(corev1.PodUnknown)), replica("a", -1)},
		"not ready":                 {replica("z", -1, costs("5")), replica("a", time.Second, costs("1"))},
		"cheaper":                   {replica("z", time.Hour, costs("-1")), replica("a", time.Second, onNode("crowded"))},
		"no number costs nothing":   {replica("z", time.Hour, costs("much")), replica("a", time.Second, costs("1"))},
		"crowded node":              {replica("z", time.Hour, onNode("crowded")), replica("a", time.Second)},
		"ready for a shorter time":  {replica("z", time.Minute), replica("a", 3*time.Hour, restarted(9))},
		"about equal falls to UIDs": {replica("a", 65*time.Minute), replica("z", 62*time.Minute, restarted(9))},
		"more restarts":             {replica("z", time.Hour, restarted(2)), replica("a", time.Hour, restarted(1), created(time.Minute))},
		"younger":                   {replica("z", time.Hour, created(2*time.Hour)), replica("a", time.Hour, created(48*time.Hour))},
	} {
		for _, pods := range [][]*corev1.Pod{{tt.victim, tt.other}, {tt.other, tt.victim}} {
			victims := PodsToDelete(pods, 1, map[string]int{"crowded": 5, "n": 1}, noon())
			if len(victims) != 1 || victims[0] != tt.victim {
				t.Errorf("%s: the other one goes", name)
			}
		}
	}
	if n := len(PodsToDelete([]*corev1.Pod{replica("a", -1)}, 3, nil, noon())); n != 1 {
		t.Errorf("%d victims of 1 Pod", n)
	}
}

func TestReplacing(t *testing.T) {
	end := func(ago time.Duration) *corev1.Pod {
		return replica(fmt.Sprint(ago), -1, inPhase(corev1.PodFailed), func(p *corev1.Pod) {
			state := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.NewTime(noon().Add(-ago))}}
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{State: state}}
		})
	}
	many := func(n int, step time.Duration) (pods []*corev1.Pod) {
		for i := range n {
			pods = append(pods, end(time.Duration(i)*step))
		}
		return pods
	}
	for name, tt := range map[string]struct {
		pods []*corev1.Pod
		want time.Duration // from now
	}{
		"none":        {nil, 0},
		"the first":   {many(1, 0), 0},
		"the second":  {many(2, time.Second), 10 * time.Second},
		"the fourth":  {many(4, time.Second), 40 * time.Second},
		"a loop":      {many(12, time.Second), 300 * time.Second},
		"long ago":    {many(2, 11*time.Minute), 0},
		"waited over": {[]*corev1.Pod{end(10 * time.Second), end(time.Minute)}, 0},
	} {
		want := time.Time{}
		if tt.want != 0 {
			want = noon().Add(tt.want)
		}
		if got := ReplaceAt(tt.pods, noon()); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if gone := Superseded(many(12, time.Second)); len(gone) != 2 || gone[0].Name != "10s" || gone[1].Name != "11s" {
		t.Errorf("superseded: %v", names(gone))
	}
	if gone := Superseded(many(3, time.Second)); len(gone) != 0 {
		t.Errorf("superseded: %v", names(gone))
	}
}

func names(pods []*corev1.Pod) (all []string) {
	for _, pod := range pods {
		all = append(all, pod.Name)
	}
	slices.Sort(all)
	return all
}
