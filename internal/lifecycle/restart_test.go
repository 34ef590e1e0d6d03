package lifecycle

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestRestartPolicy(t *testing.T) {
	lf := failed(Liveness)
	const (
		always    = corev1.RestartPolicyAlways
		onFailure = corev1.RestartPolicyOnFailure
		never     = corev1.RestartPolicyNever
	)
	once := func(code int32) func(int) exit {
		return func(n int) exit { return exit{after: time.Second, code: code, never: n > 1} }
	}
	failing := onFirst(replies{Liveness: "500"}) // killed at 500 ms
	play(t, []scenario{
		{
			name:    "J01 R155 Always, exit 0",
			spec:    withPolicy(always, app()),
			scripts: map[string]script{"app": {life: exits(time.Second, 0)}},
			until:   45 * time.Second,
			watch:   []string{"start ", "exit ", "pod is"},
			want: []string{
				"0s start app #1", "0s pod is Pending", "0s pod is Running", "1s exit app #1 code 0",
				"1s start app #2", "2s exit app #2 code 0",
				"12s start app #3", "13s exit app #3 code 0",
				"33s start app #4", "34s exit app #4 code 0",
			},
			check: wantRestarts(map[string]int32{"app": 3}),
		},
		{
			name:    "J02 R125 OnFailure, exit 0",
			spec:    withPolicy(onFailure, app()),
			scripts: map[string]script{"app": {life: once(0)}},
			until:   time.Hour,
			watch:   []string{"start ", "pod is", "BackOff"},
			want:    []string{"0s start app #1", "0s pod is Pending", "0s pod is Running", "1s pod is Succeeded"},
		},
		{
			name:    "J02 R125 OnFailure, exit 1",
			spec:    withPolicy(onFailure, app()),
			scripts: map[string]script{"app": {life: once(1)}},
			until:   time.Hour,
			watch:   []string{"start ", "pod is"},
			want:    []string{"0s start app #1", "0s pod is Pending", "0s pod is Running", "1s start app #2"},
		},
		{
			name:    "J03 R108 Never, exit 0",
			spec:    withPolicy(never, app()),
			scripts: map[string]script{"app": {life: once(0)}},
			until:   time.Hour,
			watch:   []string{"start ", "pod is", "Ready is False", "Initialized is"},
			want: []string{
				"0s start app #1",
				"0s pod is Pending",
				"0s cond Initialized is True",
				"0s cond Ready is False ContainersNotReady containers with unready status: [app]",
				"0s cond ContainersReady is False ContainersNotReady containers with unready status: [app]",
				"0s pod is Running",
				"1s pod is Succeeded",
				"1s cond Initialized is True PodCompleted",
				"1s cond Ready is False PodCompleted",
				"1s cond ContainersReady is False PodCompleted",
			},
		},
		{
			name:    "J03 R108 Never, exit 1",
			spec:    withPolicy(never, app()),
			scripts: map[string]script{"app": {life: once(1)}},
			until:   time.Hour,
			watch:   []string{"start ", "pod is", "PodFailed", "app is Term"},
			want: []string{
				"0s start app #1", "0s pod is Pending", "0s pod is Running",
				"1s app is Terminated Error 1",
				"1s pod is Failed",
				"1s cond Ready is False PodFailed",
				"1s cond ContainersReady is False PodFailed",
			},
		},
		{
			name:    "J04 R123 Never, liveness fails, single container, exit not 0",
			spec:    withGrace(4, withPolicy(never, app(liveness(2, probeGrace(9))))),
			scripts: map[string]script{"app": {probe: failing, term: stubborn}},
			until:   time.Hour,
			watch:   []string{"Unhealthy", "Killing", "SIG", "start ", "pod is"},
			want: []string{
				"0s start app #1", "0s pod is Pending", "0s pod is Running",
				"500ms" + lf, "1.5s" + lf,
				"1.5s" + stopping, "1.5s SIGTERM to app", "5.5s SIGKILL to app",
				"5.5s pod is Failed",
			},
		},
		{
			name:    "J04 R123 Never, liveness fails, single container, exit 0",
			spec:    withPolicy(never, app(liveness(1))),
			scripts: map[string]script{"app": {probe: failing, term: exits(0, 0)}},
			until:   time.Hour,
			watch:   []string{"Killing", "start ", "pod is"},
			want:    []string{"0s start app #1", "0s pod is Pending", "0s pod is Running", "500ms" + stopping, "500ms pod is Succeeded"},
		},
		{
			name: "R119 R123 Never, liveness fails, another container runs on",
			spec: withGrace(4, withPolicy(never, spec(named("app", liveness(1, probeGrace(9))), named("b")))),
			scripts: map[string]script{
				"app": {probe: failing, term: stubborn},
				"b":   {life: exits(20*time.Second, 0)},
			},
			until: time.Hour,
			watch: []string{"Killing", "SIG", "start ", "pod is"},
			want: []string{
				"0s start app #1", "0s pod is Pending", "0s start b #1", "0s pod is Running",
				"500ms Normal Killing Container app failed liveness probe", "500ms SIGTERM to app", "9.5s SIGKILL to app",
				"20s pod is Failed",
			},
		},
		{
			name: "R123 Never, both fail at once: the whole Pod goes, in parallel (R138)",
			spec: withGrace(4, withPolicy(never, spec(named("app", liveness(1, probeGrace(9)), readiness(1)), named("b", liveness(1))))),
			scripts: map[string]script{
				"app": {probe: replies{Liveness: "500@1s"}.answer, term: stubborn},
				"b":   {probe: replies{Liveness: "500@100ms"}.answer, term: exits(3*time.Second, 0)},
			},
			until: time.Hour,
			watch: []string{"Killing", "SIG", "exit "},
			want: []string{
				"600ms Normal Killing Container b failed liveness probe", "600ms SIGTERM to b",
				"3.6s exit b #1 code 0",
				"3.6s" + stopping, "3.6s SIGTERM to app", "7.6s SIGKILL to app", "7.6s exit app #1 code 137",
			},
		},
		{
			name:    "R120 OnFailure restarts a probe kill whatever the exit code",
			spec:    withPolicy(onFailure, app(liveness(1))),
			scripts: map[string]script{"app": {probe: failing, term: exits(time.Second, 0)}},
			until:   time.Hour,
			watch:   []string{"Killing", "start ", "pod is"},
			want:    []string{"0s start app #1", "0s pod is Pending", "0s pod is Running", "500ms" + killL, "1.5s start app #2"},
		},
		{
			name:    "R124 unless back-off comes between",
			spec:    withPolicy(onFailure, app(liveness(1))),
			scripts: map[string]script{"app": {probe: replies{Liveness: "500"}.answer, term: exits(time.Second, 0)}},
			until:   time.Hour,
			watch:   []string{"Killing", "start ", "pod is", "BackOff", "app is Term"},
			want: []string{
				"0s start app #1", "0s pod is Pending", "0s pod is Running",
				"500ms" + killL, "1.5s start app #2", "1.5s app is Terminated Completed 0",
				"2.5s" + killL, "3.5s start app #3", "3.5s app is Terminated Completed 0",
				"4.5s" + killL, "5.5s Warning BackOff Back-off restarting failed container app in pod web_default(u1)",
				"5.5s app is Terminated Completed 0", "5.5s pod is Succeeded",
			},
		},
		{
			name:    "R124 and a failed exit waits for its turn",
			spec:    withPolicy(onFailure, app(liveness(1))),
			scripts: map[string]script{"app": {probe: replies{Liveness: "500"}.answer}},
			until:   14 * time.Second,
			watch:   []string{"start ", "exit "},
			want: []string{
				"0s start app #1", "500ms exit app #1 code 143",
				"500ms start app #2", "1.5s exit app #2 code 143",
				"1.5s start app #3", "2.5s exit app #3 code 143",
				"12.5s start app #4", "13.5s exit app #4 code 143",
			},
		},
		{
			name: "R124 or a start that fails",
			spec: withPolicy(onFailure, app(liveness(1))),
			scripts: map[string]script{"app": {probe: failing, term: exits(time.Second, 0), start: func(n int) (time.Duration, string, string) {
				if n == 2 {
					return 0, "CreateContainerError", "no such file"
				}
				return 0, "", ""
			}}},
			until: time.Hour,
			watch: []string{"start ", "pod is", "app is T"},
			want: []string{
				"0s start app #1", "0s pod is Pending", "0s pod is Running",
				"1.5s start app #2", "1.5s app is Terminated Completed 0", "1.5s pod is Succeeded",
			},
		},
		{
			name: "R124 R149 a retry that nobody wants any more is forgotten",
			spec: withPolicy(onFailure, spec(named("app", liveness(1)), named("b"))),
			scripts: map[string]script{
				"app": {probe: replies{Liveness: "500"}.answer, term: exits(time.Second, 0)},
			},
			until: time.Hour,
			watch: []string{"start app", "BackOff", "app is T", "pod is"},
			want: []string{
				"0s start app #1", "0s pod is Pending", "0s pod is Running",
				"1.5s start app #2", "1.5s app is Terminated Completed 0",
				"3.5s start app #3", "3.5s app is Terminated Completed 0",
				"5.5s Warning BackOff Back-off restarting failed container app in pod web_default(u1)",
				"5.5s app is Terminated Completed 0",
			},
			check: func(t *testing.T, w *testNode) {
				if d := w.pod.Deadline(); !d.IsZero() {
					t.Errorf("deadline = %v, want none", d.Sub(w.start))
				}
			},
		},
		{
			name: "R121 R122 what ends by itself while its kill waits is only restarted",
			spec: spec(named("x", liveness(1)), named("a", liveness(2)), named("b", liveness(2))),
			scripts: map[string]script{
				"x": {probe: failing, term: exits(3*time.Second, 0)},
				"a": {probe: failing, term: exits(4*time.Second, 0)},
				"b": {probe: failing, life: func(n int) exit { return exit{after: 5 * time.Second, code: 1, never: n > 1} }},
			},
			until: time.Minute,
			watch: []string{"Killing", "exit ", "start "},
			want: []string{
				"0s start x #1", "0s start a #1", "0s start b #1",
				"500ms Normal Killing Container x failed liveness probe, will be restarted",
				"3.5s exit x #1 code 0", "3.5s start x #2",
				"3.5s Normal Killing Container a failed liveness probe, will be restarted",
				"5s exit b #1 code 1",
				"7.5s exit a #1 code 0", "7.5s start a #2", "7.5s start b #2",
			},
		},
		{
			name: "R117 one container done, the other runs",
			spec: withPolicy(onFailure, spec(named("a"), named("b"))),
			scripts: map[string]script{
				"a": {life: exits(time.Second, 0)},
				"b": {life: exits(3*time.Second, 0)},
			},
			until: time.Hour,
			watch: []string{"pod is", "a is", "Ready is"},
			want: []string{
				"0s a is Waiting ContainerCreating",
				"0s pod is Pending",
				"0s cond Ready is False ContainersNotReady containers with unready status: [a b]",
				"0s cond ContainersReady is False ContainersNotReady containers with unready status: [a b]",
				"0s a is Running started ready",
				"0s cond Ready is False ContainersNotReady containers with unready status: [b]",
				"0s cond ContainersReady is False ContainersNotReady containers with unready status: [b]",
				"0s pod is Running",
				"0s cond Ready is True",
				"0s cond ContainersReady is True",
				"1s a is Terminated Completed 0",
				"1s cond Ready is False ContainersNotReady containers with unready status: [a]",
				"1s cond ContainersReady is False ContainersNotReady containers with unready status: [a]",
				"3s pod is Succeeded",
				"3s cond Ready is False PodCompleted",
				"3s cond ContainersReady is False PodCompleted",
			},
		},
		{
			name: "J14 R153 back-off of one does not delay the other",
			spec: spec(named("a"), named("b")),
			scripts: map[string]script{
				"a": {life: exits(time.Second, 1)},
				"b": {life: func(n int) exit { return exit{after: 5 * time.Second, code: 1, never: n > 1} }},
			},
			until: 13 * time.Second,
			watch: []string{"start ", "exit "},
			want: []string{
				"0s start a #1", "0s start b #1",
				"1s exit a #1 code 1", "1s start a #2", "2s exit a #2 code 1",
				"5s exit b #1 code 1", "5s start b #2",
				"12s start a #3", "13s exit a #3 code 1",
			},
		},
		{
			name:    "J15 no probe while waiting",
			spec:    app(liveness(9), readiness(9)),
			scripts: map[string]script{"app": {life: exits(1200*time.Millisecond, 1)}},
			until:   12 * time.Second,
			watch:   []string{"Liveness probe", "exit "},
			want: []string{
				"500ms Liveness probe of app #1", "1.2s exit app #1 code 1",
				// ticks keep their phase (R9)
				"1.5s Liveness probe of app #2", "2.4s exit app #2 code 1",
			},
		},
		{
			name:    "J19 R101 R127 exits need no probes",
			spec:    app(),
			scripts: map[string]script{"app": {life: exits(time.Second, 1)}},
			until:   2 * time.Second,
			watch:   []string{"app is", "start "},
			want: []string{
				"0s start app #1", "0s app is Waiting ContainerCreating", "0s app is Running started ready",
				"1s start app #2", "1s app is Terminated Error 1", "1s app is Running started ready",
				"2s app is Waiting CrashLoopBackOff",
			},
		},
		{
			name:    "R112 R18 a container that can't be created is tried again every 10 s",
			spec:    app(),
			scripts: map[string]script{"app": {start: startsFrom(3, "CreateContainerConfigError", "secret not found")}},
			until:   time.Minute,
			watch:   []string{"start ", "app is", "pod is", "Warning"},
			want: []string{
				"0s start app #1", "0s app is Waiting ContainerCreating", "0s pod is Pending",
				"0s Warning Failed Error: secret not found",
				"0s app is Waiting CreateContainerConfigError",
				"10s start app #2", "10s Warning Failed Error: secret not found",
				"20s start app #3", "20s app is Running started ready", "20s pod is Running",
			},
			check: wantRestarts(map[string]int32{"app": 0}),
		},
		{
			name:    "R112 R116 a process that can't be started is an instance, under back-off",
			spec:    app(),
			scripts: map[string]script{"app": {start: startsFrom(4, "RunContainerError", "exec format error")}},
			until:   time.Minute,
			watch:   []string{"start ", "app is", "pod is", "Warning"},
			want: []string{
				"0s start app #1", "0s app is Waiting ContainerCreating", "0s pod is Pending",
				"0s Warning Failed Error: exec format error",
				"0s start app #2", "0s app is Waiting RunContainerError", "0s pod is Running",
				"0s Warning Failed Error: exec format error",
				"0s Warning BackOff Back-off restarting failed container app in pod web_default(u1)",
				"0s app is Waiting CrashLoopBackOff",
				"10s start app #3",
				"10s Warning Failed Error: exec format error",
				"10s Warning BackOff Back-off restarting failed container app in pod web_default(u1)",
				"30s start app #4", "30s app is Running started ready",
			},
			check: func(t *testing.T, w *testNode) {
				wantRestarts(map[string]int32{"app": 3})(t, w)
				last := w.containerStatus("app").LastTerminationState.Terminated
				if last == nil || last.ExitCode != 128 || last.Reason != "StartError" || last.Message != "exec format error" {
					t.Errorf("lastState = %+v, want StartError with exit code 128", last)
				}
			},
		},
	})
}

// startsFrom fails to start the instances before the given one.
func startsFrom(instance int, reason, message string) func(int) (time.Duration, string, string) {
	return func(n int) (time.Duration, string, string) {
		if n < instance {
			return 0, reason, message
		}
		return 0, "", ""
	}
}
