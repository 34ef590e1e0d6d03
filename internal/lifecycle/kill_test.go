package lifecycle

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestForcedAt: when SIGKILL comes, as far as that is known in each stage. What is said last is
// compared with what happens wherever a Pod is played.
func TestForcedAt(t *testing.T) {
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		kill kill
		want time.Time
	}{
		"not being stopped":         {kill{}, time.Time{}},
		"the hook runs":             {kill{stage: killPreStop, began: began, grace: 30 * time.Second, deadline: began.Add(30 * time.Second)}, began.Add(30 * time.Second)},
		"a sidecar waits":           {kill{stage: killQueued, began: began, grace: 30 * time.Second}, began.Add(30 * time.Second)},
		"it waits, with no time":    {kill{stage: killQueued, began: began, grace: time.Second}, began.Add(minimumGrace)},
		"the signal was sent later": {kill{stage: killStopped, began: began, grace: 5 * time.Second, deadline: began.Add(7 * time.Second)}, began.Add(7 * time.Second)},
		"SIGKILL was sent":          {kill{stage: killForced, began: began, grace: 30 * time.Second}, time.Time{}},
	} {
		if got := test.kill.forcedAt(); !got.Equal(test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestKill(t *testing.T) {
	failing := onFirst(replies{Liveness: "500"}) // killed at 500 ms
	errHook := errors.New("exit status 1")
	play(t, []scenario{
		{
			name:    "I01 R135 polite process",
			spec:    app(liveness(1)),
			scripts: map[string]script{"app": {probe: failing, term: exits(200*time.Millisecond, 0)}},
			until:   time.Minute,
			watch:   []string{"SIG", "exit ", "start "},
			want:    []string{"0s start app #1", "500ms SIGTERM to app", "700ms exit app #1 code 0", "700ms start app #2"},
		},
		{
			name:    "I02 R129 R130 stubborn process",
			spec:    withGrace(4, app(liveness(1))),
			scripts: map[string]script{"app": {probe: failing, term: stubborn}},
			until:   10 * time.Second,
			watch:   []string{"SIG", "exit ", "start "},
			want: []string{
				"0s start app #1", "500ms SIGTERM to app", "4.5s SIGKILL to app", "4.5s exit app #1 code 137", "4.5s start app #2",
			},
			check: func(t *testing.T, w *testNode) {
				if last := w.containerStatus("app").LastTerminationState.Terminated; last == nil || last.ExitCode != 137 || last.Signal != 9 {
					t.Errorf("lastState = %+v, want exit code 137 by signal 9", last)
				}
			},
		},
		{
			name:    "I03 R129 probe-level grace shorter",
			spec:    withGrace(60, app(liveness(1, probeGrace(3)))),
			scripts: map[string]script{"app": {probe: failing, term: stubborn}},
			until:   10 * time.Second,
			watch:   []string{"SIG"},
			want:    []string{"500ms SIGTERM to app", "3.5s SIGKILL to app"},
		},
		{
			name:    "I04 R129 probe-level grace longer",
			spec:    withGrace(2, app(liveness(1, probeGrace(5)))),
			scripts: map[string]script{"app": {probe: failing, term: stubborn}},
			until:   10 * time.Second,
			watch:   []string{"SIG"},
			want:    []string{"500ms SIGTERM to app", "5.5s SIGKILL to app"},
		},
		{
			name:    "R129 the other probe's grace does not count",
			spec:    withGrace(4, app(liveness(1), startup(1, probeGrace(9)))),
			scripts: map[string]script{"app": {probe: onFirst(replies{Startup: "200", Liveness: "500"}), term: stubborn}},
			until:   10 * time.Second,
			watch:   []string{"SIG"},
			want:    []string{"1.5s SIGTERM to app", "5.5s SIGKILL to app"},
		},
		{
			name:    "R129 no grace in the spec means 30 s",
			spec:    corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{named("app", liveness(1))}},
			scripts: map[string]script{"app": {probe: failing, term: stubborn}},
			until:   time.Minute,
			watch:   []string{"SIG"},
			want:    []string{"500ms SIGTERM to app", "30.5s SIGKILL to app"},
		},
		{
			name:    "I06 R133 R134 pod grace 0: no preStop, two seconds",
			spec:    withGrace(0, app(liveness(1), preStop)),
			scripts: map[string]script{"app": {probe: failing, term: stubborn}},
			until:   5 * time.Second,
			watch:   []string{"SIG", "hook"},
			want:    []string{"500ms SIGTERM to app", "2.5s SIGKILL to app"},
		},
		{
			name:    "I06 R133 pod grace 1",
			spec:    withGrace(1, app(liveness(1))),
			scripts: map[string]script{"app": {probe: failing, term: stubborn}},
			until:   5 * time.Second,
			watch:   []string{"SIG"},
			want:    []string{"500ms SIGTERM to app", "2.5s SIGKILL to app"},
		},
		{
			name:    "I06 R133 probe-level grace 1",
			spec:    app(liveness(1, probeGrace(1))),
			scripts: map[string]script{"app": {probe: failing, term: stubborn}},
			until:   5 * time.Second,
			watch:   []string{"SIG"},
			want:    []string{"500ms SIGTERM to app", "2.5s SIGKILL to app"},
		},
		{
			name:    "I09 I11 I24 R141 preStop fails",
			spec:    app(liveness(1), preStop),
			scripts: map[string]script{"app": {probe: failing, hook: hookTakes(PreStop, 0, errHook)}},
			until:   time.Second,
			watch:   []string{"Killing", "hook", "Warning FailedPreStopHook", "SIG"},
			want: []string{
				"500ms" + killL, "500ms hook PreStop of app", "500ms Warning FailedPreStopHook PreStopHook failed", "500ms SIGTERM to app",
			},
		},
		{
			name:    "I13 I15 R130 R131 preStop is part of the grace period",
			spec:    withGrace(5, app(liveness(1), preStop)),
			scripts: map[string]script{"app": {probe: failing, term: stubborn, hook: hookTakes(PreStop, 2*time.Second, nil)}},
			until:   10 * time.Second,
			watch:   []string{"Killing", "hook", "SIG", "exit ", "start app #2"},
			want: []string{
				"500ms" + killL, "500ms hook PreStop of app",
				"2.5s SIGTERM to app",
				"5.5s SIGKILL to app", "5.5s exit app #1 code 137", "5.5s start app #2",
			},
		},
		{
			name:    "R131 whole seconds of preStop count",
			spec:    withGrace(5, app(liveness(1), preStop)),
			scripts: map[string]script{"app": {probe: failing, term: stubborn, hook: hookTakes(PreStop, 2900*time.Millisecond, nil)}},
			until:   10 * time.Second,
			watch:   []string{"SIG"},
			want:    []string{"3.4s SIGTERM to app", "6.4s SIGKILL to app"},
		},
		{
			name:    "R133 preStop that leaves less than two seconds",
			spec:    withGrace(5, app(liveness(1), preStop)),
			scripts: map[string]script{"app": {probe: failing, term: stubborn, hook: hookTakes(PreStop, 4*time.Second, nil)}},
			until:   10 * time.Second,
			watch:   []string{"SIG"},
			want:    []string{"4.5s SIGTERM to app", "6.5s SIGKILL to app"},
		},
		{
			name:    "R132 preStop that outlasts the grace period is abandoned",
			spec:    withGrace(3, app(liveness(1), preStop)),
			scripts: map[string]script{"app": {probe: failing, term: stubborn, hook: hookTakes(PreStop, 4*time.Second, errHook)}},
			until:   5 * time.Second,
			watch:   []string{"SIG", "FailedPreStopHook"},
			// late news, as on a real kubelet
			want: []string{"3.5s SIGTERM to app", "4.5s Warning FailedPreStopHook PreStopHook failed"},
		},
		{
			name:    "R141 preStop that the end of its container cuts off has failed",
			spec:    withGrace(3, app(liveness(1), preStop)),
			scripts: map[string]script{"app": {probe: failing, term: stubborn, hook: hookTakes(PreStop, 20*time.Second, nil)}},
			until:   6 * time.Second,
			watch:   []string{"SIG", "FailedPreStopHook"},
			want:    []string{"3.5s SIGTERM to app", "5.5s SIGKILL to app", "5.5s Warning FailedPreStopHook PreStopHook failed"},
		},
		{
			name: "I14 R136 no preStop on an exit of its own",
			spec: app(preStop),
			scripts: map[string]script{"app": {life: func(n int) exit {
				return exit{after: time.Second, code: 1, never: n > 1}
			}}},
			until:  5 * time.Second,
			counts: map[string]int{"hook": 0, "Killing": 0, "start app": 2},
		},
		{
			name: "R135 an exit during preStop ends the kill",
			spec: app(liveness(1), preStop),
			scripts: map[string]script{"app": {
				probe: failing, hook: hookTakes(PreStop, 10*time.Second, nil),
				life: func(n int) exit { return exit{after: 2 * time.Second, code: 3, never: n > 1} },
			}},
			until: time.Minute,
			watch: []string{"SIG", "hook", "exit ", "start "},
			want:  []string{"0s start app #1", "500ms hook PreStop of app", "2s exit app #1 code 3", "2s start app #2"},
		},
		{
			name:    "I25 R142 a hook has no timeout of its own",
			spec:    withGrace(10, app(liveness(1), preStop)),
			scripts: map[string]script{"app": {probe: failing, hook: hookTakes(PreStop, 3*time.Second, nil)}},
			until:   10 * time.Second,
			watch:   []string{"SIG", "hook"},
			want:    []string{"500ms hook PreStop of app", "3.5s SIGTERM to app"},
		},
		{
			name: "R130 stopSignal",
			spec: app(liveness(1), func(c *corev1.Container) {
				c.Lifecycle = &corev1.Lifecycle{StopSignal: new(corev1.SIGUSR1)}
			}),
			scripts: map[string]script{"app": {probe: failing}},
			until:   time.Second,
			watch:   []string{"SIG"},
			want:    []string{"500ms SIGUSR1 to app"},
		},
	})
}

func TestPostStart(t *testing.T) {
	errHook := errors.New("exit status 1")
	play(t, []scenario{
		{
			name:    "I16 R24 nobody sees the instance before postStart has ended",
			spec:    app(startup(3), readiness(1), liveness(1), postStart),
			scripts: map[string]script{"app": {hook: hookTakes(PostStart, 3*time.Second, nil)}},
			until:   5 * time.Second,
			watch:   []string{"probe of", "app is", "pod is"},
			want: []string{
				"0s app is Waiting ContainerCreating",
				"0s pod is Pending",
				"3s app is Running",
				"3s pod is Running",
				"3.5s Startup probe of app #1",
				"3.5s app is Running started",
				"3.5s Readiness probe of app #1",
				"3.5s app is Running started ready",
				"4.5s Readiness probe of app #1",
				"4.5s Liveness probe of app #1",
			},
		},
		{
			name:    "I16 R24 the initial delay runs meanwhile",
			spec:    app(readiness(1, delayed(2), period(10)), postStart),
			scripts: map[string]script{"app": {hook: hookTakes(PostStart, 3*time.Second, nil)}},
			until:   6 * time.Second,
			watch:   []string{"probe of"},
			want:    []string{"4s Readiness probe of app #1"}, // the trigger, once it is seen
		},
		{
			name:    "I17 R140 postStart fails",
			spec:    app(postStart, preStop),
			scripts: map[string]script{"app": {hook: hookTakes(PostStart, time.Second, errHook), term: exits(2*time.Second, 0)}},
			until:   16500 * time.Millisecond,
			watch:   []string{"start ", "hook", "Failed", "Killing", "SIG", "exit ", "app is", "Warning", "pod is"},
			want: []string{
				"0s start app #1",
				"0s app is Waiting ContainerCreating",
				"0s pod is Pending",
				"0s hook PostStart of app",
				"1s Warning FailedPostStartHook PostStartHook failed",
				"1s Normal Killing FailedPostStartHook",
				"1s hook PreStop of app",
				"1s app is Waiting PostStartHookError",
				"1s SIGTERM to app",
				"3s exit app #1 code 0",
				"3s start app #2", // the first restart is immediate (R150)
				"3s pod is Running",
				"3s hook PostStart of app",
				"4s Warning FailedPostStartHook PostStartHook failed",
				"4s Normal Killing FailedPostStartHook",
				"4s hook PreStop of app",
				"4s SIGTERM to app",
				"6s exit app #2 code 0",
				"6s Warning BackOff Back-off restarting failed container app in pod web_default(u1)",
				"6s app is Waiting CrashLoopBackOff",
				"16s start app #3",
				"16s hook PostStart of app",
			},
		},
		{
			name:    "R140 under Never it stays down and shows its exit",
			spec:    withPolicy(corev1.RestartPolicyNever, app(postStart)),
			scripts: map[string]script{"app": {hook: hookTakes(PostStart, 0, errHook), term: exits(time.Second, 7)}},
			until:   time.Minute,
			watch:   []string{"start ", "app is", "pod is"},
			want: []string{
				"0s start app #1",
				"0s app is Waiting ContainerCreating",
				"0s pod is Pending",
				"0s app is Waiting PostStartHookError",
				"1s app is Terminated Error 7",
				"1s pod is Failed",
			},
		},
		{
			name: "R24 R121 the next container waits for postStart",
			spec: spec(named("a", postStart), named("b")),
			scripts: map[string]script{
				"a": {hook: hookTakes(PostStart, 3*time.Second, nil)},
			},
			until: 5 * time.Second,
			watch: []string{"start ", "is Running"},
			want:  []string{"0s start a #1", "3s start b #1", "3s a is Running started ready", "3s b is Running started ready", "3s pod is Running"},
		},
		{
			name: "R140 an exit during postStart is a crash",
			spec: app(postStart),
			scripts: map[string]script{"app": {
				hook: hookTakes(PostStart, 3*time.Second, errHook),
				life: func(n int) exit { return exit{after: time.Second, code: 1, never: n > 1} },
			}},
			until:  3500 * time.Millisecond,
			watch:  []string{"start ", "exit ", "Failed", "app is"},
			counts: map[string]int{"Killing": 0},
			want: []string{
				"0s start app #1",
				"0s app is Waiting ContainerCreating",
				"1s exit app #1 code 1",
				"1s start app #2",
				"1s app is Terminated Error 1",
			},
		},
	})
}
