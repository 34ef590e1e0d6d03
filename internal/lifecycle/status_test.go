package lifecycle

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPhaseAndConditions(t *testing.T) {
	const never = corev1.RestartPolicyNever
	play(t, []scenario{
		{
			name:    "N01 R105 R106 NotReady container",
			spec:    app(readiness(1)),
			scripts: map[string]script{"app": {probe: replies{Readiness: "500"}.answer}},
			until:   5 * time.Second,
			watch:   []string{"Ready is"},
			want: []string{
				"0s cond Ready is False ContainersNotReady containers with unready status: [app]",
				"0s cond ContainersReady is False ContainersNotReady containers with unready status: [app]",
			},
		},
		{
			name: "N06 R117 one failed under Never, the other runs",
			spec: withPolicy(never, spec(named("a"), named("b"))),
			scripts: map[string]script{
				"a": {life: exits(time.Second, 1)},
				"b": {life: exits(3*time.Second, 0)},
			},
			until: time.Minute,
			watch: []string{"pod is"},
			want:  []string{"0s pod is Pending", "0s pod is Running", "3s pod is Failed"},
		},
		{
			name: "R117 Pending while a container has never started",
			spec: spec(named("a"), named("b")),
			scripts: map[string]script{
				"b": {start: startsFrom(3, "CreateContainerError", "no such file")},
			},
			until: time.Minute,
			watch: []string{"pod is", "b is"},
			want: []string{
				"0s b is Waiting ContainerCreating", "0s pod is Pending", "0s b is Waiting CreateContainerError",
				"20s b is Running started ready", "20s pod is Running",
			},
		},
		{
			name: "R117 a slow start is Pending, a slow restart is Running",
			spec: app(),
			scripts: map[string]script{"app": {
				start: func(int) (time.Duration, string, string) { return time.Second, "", "" },
				life:  func(n int) exit { return exit{after: time.Second, code: 1, never: n > 1} },
			}},
			until: time.Minute,
			watch: []string{"pod is", "app is"},
			want: []string{
				"0s app is Waiting ContainerCreating", "0s pod is Pending",
				"1s app is Running started ready", "1s pod is Running",
				"2s app is Terminated Error 1", "3s app is Running started ready",
			},
		},
		{
			name:    "R117 terminal phases are final",
			spec:    withPolicy(never, app(readiness(1), liveness(1), startup(1))),
			scripts: map[string]script{"app": {life: exits(time.Second, 0)}},
			outside: map[time.Duration]Event{
				2 * time.Second: Tick{},
				3 * time.Second: ConditionSet{corev1.PodCondition{Type: "example.com/x", Status: corev1.ConditionTrue}},
			},
			until: time.Hour,
			watch: []string{"pod is", "start "},
			want:  []string{"0s start app #1", "0s pod is Pending", "0s pod is Running", "1s pod is Succeeded"},
			check: func(t *testing.T, w *testNode) {
				if d := w.pod.Deadline(); !d.IsZero() {
					t.Errorf("deadline = %v, want none", d)
				}
				if !w.pod.Terminal() {
					t.Error("not terminal")
				}
			},
		},
		{
			name: "R109 a new reason does not move lastTransitionTime",
			spec: spec(named("a", readiness(1)), named("b", readiness(1))),
			scripts: map[string]script{
				"a": {probe: replies{Readiness: "500@1500ms 200"}.answer},
				"b": {probe: replies{Readiness: "500"}.answer},
			},
			until: 10 * time.Second,
			watch: []string{"cond Ready is"},
			want: []string{
				"0s cond Ready is False ContainersNotReady containers with unready status: [a b]",
				"2s cond Ready is False ContainersNotReady containers with unready status: [b]",
			},
			check: func(t *testing.T, w *testNode) {
				if got := w.condition(corev1.PodReady).LastTransitionTime.Time; !got.Equal(w.start) {
					t.Errorf("lastTransitionTime = %v, want the start", got.Sub(w.start))
				}
			},
		},
	})
}

func TestFieldPaths(t *testing.T) { // N07 R46
	w := newTestNode(t, withInit(app(liveness(1)), sidecar("s", liveness(1)), named("i")), Options{})
	w.scripts["i"].life = exits(time.Second, 0)
	w.scripts["app"].probe = replies{Liveness: "500"}.answer
	w.scripts["s"].probe = replies{Liveness: "500"}.answer
	w.run(5 * time.Second)
	want := map[string]map[string]bool{ // messages that name their container, and where
		"Container app failed liveness probe, will be restarted": {"spec.containers{app}": true},
		"Init container s failed liveness probe":                 {"spec.initContainers{s}": true},
		"Container started":                                      {"spec.containers{app}": true, "spec.initContainers{s}": true, "spec.initContainers{i}": true},
	}
	got := map[string]map[string]bool{}
	for _, e := range w.effects {
		if r, ok := e.(Record); ok && want[r.Message] != nil {
			if got[r.Message] == nil {
				got[r.Message] = map[string]bool{}
			}
			got[r.Message][r.FieldPath] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestStatus looks at whole statuses: N03, N05, N09, N10, R109–R113.
func TestStatus(t *testing.T) {
	w := newTestNode(t, app(func(c *corev1.Container) { c.Image = "img" }), Options{})
	w.scripts["app"].start = func(int) (time.Duration, string, string) { return 700 * time.Millisecond, "", "" }
	w.scripts["app"].life = func(n int) exit { return exit{after: 2500 * time.Millisecond, code: 1, never: n > 2} }
	at := func(s int) metav1.Time { return metav1.NewTime(w.start.Add(time.Duration(s) * time.Second)) }
	condition := func(typ corev1.PodConditionType, since int) corev1.PodCondition {
		return corev1.PodCondition{Type: typ, Status: corev1.ConditionTrue, ObservedGeneration: 1, LastTransitionTime: at(since)}
	}
	unready := func(typ corev1.PodConditionType, since int) corev1.PodCondition {
		c := condition(typ, since)
		c.Status, c.Reason, c.Message = corev1.ConditionFalse, "ContainersNotReady", "containers with unready status: [app]"
		return c
	}
	conditions := func(ready func(corev1.PodConditionType, int) corev1.PodCondition, since int) []corev1.PodCondition {
		return []corev1.PodCondition{ // N09 R110
			condition(corev1.PodReadyToStartContainers, 0),
			condition(corev1.PodInitialized, 0),
			ready(corev1.PodReady, since),
			ready(corev1.ContainersReady, since),
			condition(corev1.PodScheduled, 0),
		}
	}
	exited := func(instance string, from, to int) *corev1.ContainerStateTerminated {
		return &corev1.ContainerStateTerminated{
			ExitCode: 1, Reason: "Error", StartedAt: at(from), FinishedAt: at(to), ContainerID: "probity://" + instance,
		}
	}
	status := func(phase corev1.PodPhase, conditions []corev1.PodCondition, c corev1.ContainerStatus) corev1.PodStatus {
		c.Name, c.Image = "app", "img"
		ips := []corev1.PodIP{{IP: "127.0.0.1"}}
		return corev1.PodStatus{
			ObservedGeneration: 1, Phase: phase, Conditions: conditions, StartTime: new(at(0)),
			HostIP: "127.0.0.1", HostIPs: []corev1.HostIP{{IP: "127.0.0.1"}}, PodIP: "127.0.0.1", PodIPs: ips,
			ContainerStatuses: []corev1.ContainerStatus{c},
		}
	}
	running := func(from int) corev1.ContainerState {
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(from)}}
	}
	tests := []struct {
		name string
		at   time.Duration
		want corev1.PodStatus
	}{
		{"N03 R112 before the first start", 0, status(corev1.PodPending, conditions(unready, 0), corev1.ContainerStatus{
			State:   corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}},
			Started: new(false),
		})},
		{"R111 first instance", time.Second, status(corev1.PodRunning, conditions(condition, 0), corev1.ContainerStatus{
			State: running(0), Ready: true, Started: new(true), ContainerID: "probity://u1-app-1",
		})},
		{"N10 R113 exited, the next one is being started", 3500 * time.Millisecond, status(corev1.PodRunning, conditions(unready, 3), corev1.ContainerStatus{
			State: corev1.ContainerState{Terminated: exited("u1-app-1", 0, 3)}, Started: new(false), ContainerID: "probity://u1-app-1",
		})},
		{"N05 R111 second instance", 4 * time.Second, status(corev1.PodRunning, conditions(condition, 3), corev1.ContainerStatus{
			State: running(3), LastTerminationState: corev1.ContainerState{Terminated: exited("u1-app-1", 0, 3)},
			Ready: true, Started: new(true), RestartCount: 1, ContainerID: "probity://u1-app-2",
		})},
		{"R113 in back-off", 10 * time.Second, status(corev1.PodRunning, conditions(unready, 6), corev1.ContainerStatus{
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
				Reason: "CrashLoopBackOff", Message: "back-off 10s restarting failed container=app pod=web_default(u1)",
			}},
			LastTerminationState: corev1.ContainerState{Terminated: exited("u1-app-2", 3, 6)},
			Started:              new(false), RestartCount: 1, ContainerID: "probity://u1-app-2",
		})},
		{"R116 third instance", time.Minute, status(corev1.PodRunning, conditions(condition, 17), corev1.ContainerStatus{
			State: running(17), LastTerminationState: corev1.ContainerState{Terminated: exited("u1-app-2", 3, 6)},
			Ready: true, Started: new(true), RestartCount: 2, ContainerID: "probity://u1-app-3",
		})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.run(tt.at)
			if diff := cmp.Diff(tt.want, w.pod.Status(w.now)); diff != "" {
				t.Errorf("status at %v (-want +got):\n%s", tt.at, diff)
			}
		})
	}
}

func TestExitReasons(t *testing.T) { // N10 R115
	tests := []struct {
		name   string
		exit   Exited
		reason string
	}{
		{"exit 0", Exited{}, "Completed"},
		{"exit 1", Exited{ExitCode: 1}, "Error"},
		{"SIGKILL", Exited{ExitCode: 137, Signal: 9}, "Error"},
		{"the shell knows better", Exited{ExitCode: 137, Signal: 9, Reason: "OOMKilled"}, "OOMKilled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newTestNode(t, withPolicy(corev1.RestartPolicyNever, app()), Options{})
			w.run(time.Second)
			tt.exit.Container, tt.exit.Instance, tt.exit.At = "app", "u1-app-1", w.now
			w.deliver(tt.exit, w.now)
			got := w.containerStatus("app").State.Terminated
			if got == nil || got.Reason != tt.reason || got.ExitCode != tt.exit.ExitCode || got.Signal != tt.exit.Signal {
				t.Errorf("terminated = %+v, want reason %s, exit code %d, signal %d", got, tt.reason, tt.exit.ExitCode, tt.exit.Signal)
			}
		})
	}
}

// TestStatusDuringPostStart: nobody sees an instance before its postStart hook has ended (R24), not
// even its number or its ID.
func TestStatusDuringPostStart(t *testing.T) {
	w := newTestNode(t, app(postStart), Options{})
	w.scripts["app"].hook = hookTakes(PostStart, time.Second, nil)
	w.scripts["app"].life = exits(5*time.Second, 1)
	for _, tt := range []struct {
		at       time.Duration
		id       string
		restarts int32
	}{
		{500 * time.Millisecond, "", 0},
		{2 * time.Second, "probity://u1-app-1", 0},
		{5500 * time.Millisecond, "probity://u1-app-1", 0},
		{7 * time.Second, "probity://u1-app-2", 1},
	} {
		w.run(tt.at)
		if got := w.containerStatus("app"); got.ContainerID != tt.id || got.RestartCount != tt.restarts {
			t.Errorf("at %v: %q with restartCount %d, want %q with %d", tt.at, got.ContainerID, got.RestartCount, tt.id, tt.restarts)
		}
	}
}
