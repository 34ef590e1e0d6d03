package lifecycle

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestDeletion(t *testing.T) {
	rf := failed(Readiness)
	del := func(at, grace time.Duration) map[time.Duration]Event {
		return map[time.Duration]Event{at: Deleted{Grace: grace}}
	}
	stopS := func(name string) string { return " Normal Killing Stopping container " + name }
	play(t, []scenario{
		{
			name: "I18 R158 R160 liveness and startup stop at once, readiness goes on (R159)",
			spec: app(liveness(1), readiness(1)),
			scripts: map[string]script{"app": {
				probe: replies{Liveness: "200*3 500", Readiness: "200*4 500"}.answer,
				term:  exits(3*time.Second, 0),
			}},
			outside: del(3*time.Second, 5*time.Second),
			until:   time.Minute,
			watch:   []string{"Liveness probe", "Unhealthy", "Killing", "SIG", "app is", "exit ", "start ", "pod is", "finished"},
			want: []string{
				"0s start app #1", "0s app is Waiting ContainerCreating", "0s pod is Pending", "0s app is Running started", "0s pod is Running",
				"500ms Liveness probe of app #1", "500ms app is Running started ready",
				"1.5s Liveness probe of app #1", "2.5s Liveness probe of app #1",
				"3s" + stopping, "3s SIGTERM to app",
				"4.5s" + rf, "4.5s app is Running started", "4.5s" + rf, "5.5s" + rf,
				"6s exit app #1 code 0", "6s app is Terminated Completed 0", "6s pod is Succeeded", "6s finished",
			},
		},
		{
			name:    "R160 a liveness probe in flight does not count any more",
			spec:    app(liveness(1)),
			scripts: map[string]script{"app": {probe: replies{Liveness: "500@800ms"}.answer, term: exits(3*time.Second, 0)}},
			outside: del(time.Second, 5*time.Second),
			until:   time.Minute,
			watch:   []string{"Liveness", "Unhealthy", "Killing"},
			want:    []string{"500ms Liveness probe of app #1", "1s Liveness cancelled on app #1", "1s" + stopping},
		},
		{
			name:    "R158 startup probes stop too",
			spec:    app(startup(2), readiness(1)),
			scripts: map[string]script{"app": {probe: replies{Startup: "500"}.answer, term: exits(3*time.Second, 0)}},
			outside: del(time.Second, 5*time.Second),
			until:   time.Minute,
			counts:  map[string]int{"Startup probe of": 1, "Readiness probe of": 0, "Killing": 1},
		},
		{
			name:    "R129 R163 the deletion's grace, not the probe's nor the Pod's",
			spec:    withGrace(60, app(liveness(1, probeGrace(9)))),
			scripts: map[string]script{"app": {term: stubborn}},
			outside: del(time.Second, 4*time.Second),
			until:   time.Minute,
			watch:   []string{"SIG", "pod is F", "finished"},
			want:    []string{"1s SIGTERM to app", "5s SIGKILL to app", "5s pod is Failed", "5s finished"},
		},
		{
			name: "I19 R164 grace 0: preStop gets a second, the process two",
			spec: app(preStop),
			scripts: map[string]script{"app": {
				hook: hookTakes(PreStop, time.Minute, nil),
				term: stubborn,
			}},
			outside: del(time.Second, 0),
			until:   time.Minute,
			watch:   []string{"hook", "SIG"},
			want:    []string{"1s hook PreStop of app", "2s SIGTERM to app", "4s SIGKILL to app"},
		},
		{
			name:    "I23 R138 parallel stop",
			spec:    spec(named("a"), named("b")),
			scripts: map[string]script{"a": {term: stubborn}, "b": {term: stubborn}},
			outside: del(time.Second, 4*time.Second),
			until:   time.Minute,
			watch:   []string{"SIG"},
			want:    []string{"1s SIGTERM to a", "1s SIGTERM to b", "5s SIGKILL to a", "5s SIGKILL to b"},
		},
		{
			name: "I22 R176 sidecar order",
			spec: withInit(app(), sidecar("s1"), sidecar("s2", preStop)),
			scripts: map[string]script{
				"app": {term: exits(2*time.Second, 0)},
				"s2":  {term: exits(time.Second, 0)},
			},
			outside: del(time.Second, 30*time.Second),
			until:   time.Minute,
			watch:   []string{"Killing", "SIG", "exit ", "hook", "finished"},
			want: []string{
				// the hook is not delayed
				"1s" + stopS("s1"), "1s" + stopS("s2"), "1s hook PreStop of s2", "1s" + stopping,
				"1s SIGTERM to app", "3s exit app #1 code 0",
				"3s SIGTERM to s2", "4s exit s2 #1 code 0",
				"4s SIGTERM to s1", "4s exit s1 #1 code 143",
				"4s finished",
			},
		},
		{
			name: "R176 R133 the grace is shared and shrinks in whole seconds",
			spec: withInit(app(), sidecar("s1"), sidecar("s2")),
			scripts: map[string]script{
				"app": {term: exits(2900*time.Millisecond, 0)},
				"s1":  {term: stubborn}, "s2": {term: stubborn},
			},
			outside: del(time.Second, 6*time.Second),
			until:   time.Minute,
			watch:   []string{"SIG"},
			want: []string{
				"1s SIGTERM to app",
				"3.9s SIGTERM to s2", "7.9s SIGKILL to s2", // 6 s less two whole seconds
				"7.9s SIGTERM to s1", "9.9s SIGKILL to s1", // nothing left but the minimum
			},
		},
		{
			name: "R161 a sidecar's liveness goes on without effect",
			spec: withInit(app(), sidecar("s", liveness(1))),
			scripts: map[string]script{
				"app": {term: exits(3*time.Second, 0)},
				"s":   {probe: replies{Liveness: "200 500"}.answer},
			},
			outside: del(time.Second, 30*time.Second),
			until:   time.Minute,
			watch:   []string{"Liveness", "Killing", "SIG"},
			want: []string{
				"500ms Liveness probe of s #1",
				"1s" + stopS("s"), "1s" + stopping, "1s SIGTERM to app",
				"1.5s Liveness probe of s #1", "1.5s Warning Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 500",
				"4s SIGTERM to s",
			},
		},
		{
			name: "R162 a later deletion shortens the grace",
			spec: app(),
			scripts: map[string]script{
				"app": {term: stubborn},
			},
			outside: map[time.Duration]Event{
				time.Second:     Deleted{Grace: 30 * time.Second},
				5 * time.Second: Deleted{Grace: 3 * time.Second},
			},
			until: time.Minute,
			watch: []string{"Killing", "SIG"},
			want:  []string{"1s" + stopping, "1s SIGTERM to app", "8s SIGKILL to app"},
		},
		{
			name:    "R162 a later deletion never lengthens it",
			spec:    app(),
			scripts: map[string]script{"app": {term: stubborn}},
			outside: map[time.Duration]Event{
				time.Second:     Deleted{Grace: 5 * time.Second},
				2 * time.Second: Deleted{Grace: 30 * time.Second},
				3 * time.Second: Deleted{Grace: 4 * time.Second}, // would end at 7 s
			},
			until: time.Minute,
			watch: []string{"Killing", "SIG"},
			want:  []string{"1s" + stopping, "1s SIGTERM to app", "6s SIGKILL to app"},
		},
		{
			name:    "R162 R133 a shortened grace leaves two seconds",
			spec:    app(),
			scripts: map[string]script{"app": {term: stubborn}},
			outside: map[time.Duration]Event{time.Second: Deleted{Grace: 30 * time.Second}, 10 * time.Second: Deleted{}},
			until:   time.Minute,
			watch:   []string{"SIG"},
			want:    []string{"1s SIGTERM to app", "12s SIGKILL to app"},
		},
		{
			name:    "R162 R133 the two seconds do not lengthen it either",
			spec:    app(),
			scripts: map[string]script{"app": {term: stubborn}},
			outside: map[time.Duration]Event{time.Second: Deleted{Grace: 10 * time.Second}, 9500 * time.Millisecond: Deleted{}},
			until:   time.Minute,
			watch:   []string{"SIG"},
			want:    []string{"1s SIGTERM to app", "11s SIGKILL to app"},
		},
		{
			name:    "R162 preStop is shortened too",
			spec:    app(preStop),
			scripts: map[string]script{"app": {term: stubborn, hook: hookTakes(PreStop, 20*time.Second, nil)}},
			outside: map[time.Duration]Event{time.Second: Deleted{Grace: 30 * time.Second}, 5 * time.Second: Deleted{Grace: 3 * time.Second}},
			until:   time.Minute,
			watch:   []string{"SIG"},
			want:    []string{"8s SIGTERM to app", "10s SIGKILL to app"},
		},
		{
			name: "R126 a deletion during a probe kill shortens it and nothing is started again",
			spec: spec(named("app", liveness(1, probeGrace(20))), named("b", liveness(1))),
			scripts: map[string]script{
				"app": {probe: replies{Liveness: "500"}.answer, term: stubborn},
				"b":   {probe: replies{Liveness: "500"}.answer}, // waits for its kill (R122)
			},
			outside: del(2*time.Second, 5*time.Second),
			until:   time.Hour,
			watch:   []string{"start ", "Killing", "SIG", "finished"},
			want: []string{
				"0s start app #1", "0s start b #1",
				"500ms" + killL, "500ms SIGTERM to app",
				"2s" + stopS("b"), "2s SIGTERM to b",
				"7s SIGKILL to app", "7s finished",
			},
		},
		{
			name:    "R126 a deletion with more grace does not lengthen a probe kill",
			spec:    app(liveness(1, probeGrace(3))),
			scripts: map[string]script{"app": {probe: replies{Liveness: "500"}.answer, term: stubborn}},
			outside: del(time.Second, 30*time.Second),
			until:   time.Hour,
			watch:   []string{"start ", "SIG", "finished"},
			want:    []string{"0s start app #1", "500ms SIGTERM to app", "3.5s SIGKILL to app", "3.5s finished"},
		},
		{
			name:    "R126 nor the preStop of one",
			spec:    app(liveness(1, probeGrace(3)), preStop),
			scripts: map[string]script{"app": {probe: replies{Liveness: "500"}.answer, hook: hookTakes(PreStop, time.Minute, nil), term: stubborn}},
			outside: del(time.Second, 30*time.Second),
			until:   time.Hour,
			watch:   []string{"hook", "SIG"},
			want:    []string{"500ms hook PreStop of app", "3.5s SIGTERM to app", "5.5s SIGKILL to app"},
		},
		{
			name: "R126 deletion while starting: what comes up is stopped, unprobed",
			spec: app(liveness(1), readiness(1), postStart),
			scripts: map[string]script{"app": {
				start: func(int) (time.Duration, string, string) { return 2 * time.Second, "", "" },
				term:  exits(3*time.Second, 0),
			}},
			outside: del(time.Second, 5*time.Second),
			until:   time.Minute,
			watch:   []string{"start ", "Started", "Killing", "SIG", "probe", "hook", "app is", "pod is", "finished"},
			want: []string{
				"0s start app #1", "0s app is Waiting ContainerCreating", "0s pod is Pending",
				"2s Normal Started Container started", "2s" + stopping, "2s SIGTERM to app",
				"5s app is Terminated Completed 0", "5s pod is Succeeded", "5s finished",
			},
		},
		{
			name: "R162 what comes up late has the shortest grace",
			spec: app(),
			scripts: map[string]script{"app": {
				start: func(int) (time.Duration, string, string) { return 3 * time.Second, "", "" }, term: stubborn,
			}},
			outside: map[time.Duration]Event{
				time.Second: Deleted{Grace: 9 * time.Second}, 1500 * time.Millisecond: Deleted{Grace: 4 * time.Second}, 2 * time.Second: Deleted{Grace: 30 * time.Second},
			},
			until: time.Minute,
			watch: []string{"SIG"},
			want:  []string{"3s SIGTERM to app", "7s SIGKILL to app"},
		},
		{
			name: "R126 deletion while starting, and the start fails",
			spec: app(),
			scripts: map[string]script{"app": {
				start: func(int) (time.Duration, string, string) {
					return 2 * time.Second, "CreateContainerError", "no such file"
				},
			}},
			outside: del(time.Second, 5*time.Second),
			until:   time.Minute,
			watch:   []string{"start ", "app is", "pod is", "finished"},
			want: []string{
				"0s start app #1", "0s app is Waiting ContainerCreating", "0s pod is Pending",
				// R115
				"2s app is Terminated ContainerStatusUnknown 137", "2s pod is Failed", "2s finished",
			},
		},
		{
			name: "R126 deletion during postStart",
			spec: app(postStart, readiness(1)),
			scripts: map[string]script{"app": {
				hook: hookTakes(PostStart, 3*time.Second, nil), term: exits(5*time.Second, 0),
			}},
			outside: del(time.Second, 30*time.Second),
			until:   time.Minute,
			watch:   []string{"start ", "Killing", "SIG", "probe", "app is", "finished"},
			want: []string{
				"0s start app #1", "0s app is Waiting ContainerCreating",
				"1s" + stopping, "1s SIGTERM to app",
				"6s app is Terminated Completed 0", "6s finished",
			},
		},
		{
			name:    "R126 R113 deletion in back-off",
			spec:    app(),
			scripts: map[string]script{"app": {life: exits(time.Second, 1)}},
			outside: del(5*time.Second, 30*time.Second),
			until:   time.Hour,
			watch:   []string{"start ", "app is", "pod is", "finished", "Killing"},
			want: []string{
				"0s start app #1", "0s app is Waiting ContainerCreating", "0s pod is Pending", "0s app is Running started ready", "0s pod is Running",
				"1s start app #2", "1s app is Terminated Error 1", "1s app is Running started ready",
				"2s app is Waiting CrashLoopBackOff",
				"5s app is Terminated Error 1", "5s pod is Failed", "5s finished",
			},
		},
		{
			name:    "R113 in a deleted Pod nothing waits for a restart",
			spec:    spec(named("app"), named("b")),
			scripts: map[string]script{"app": {life: exits(time.Second, 1)}, "b": {term: stubborn}},
			outside: del(5*time.Second, 30*time.Second),
			until:   10 * time.Second,
			watch:   []string{"app is"},
			want: []string{
				"0s app is Waiting ContainerCreating", "0s app is Running started ready",
				"1s app is Terminated Error 1", "1s app is Running started ready",
				"2s app is Waiting CrashLoopBackOff", "5s app is Terminated Error 1",
			},
		},
		{
			name:    "R126 deletion before the first start",
			spec:    withInit(app(), named("i")),
			scripts: map[string]script{"i": {life: exits(time.Minute, 0)}},
			outside: del(time.Second, 3*time.Second),
			until:   time.Hour,
			watch:   []string{"start ", "SIG", "app is", "pod is", "finished"},
			want: []string{
				"0s start i #1", "0s app is Waiting PodInitializing", "0s pod is Pending",
				"1s SIGTERM to i", "1s app is Terminated ContainerStatusUnknown 137",
				"1s pod is Failed", "1s finished",
			},
		},
		{
			name:    "R166 deletion of a finished Pod",
			spec:    withPolicy(corev1.RestartPolicyNever, app()),
			scripts: map[string]script{"app": {life: exits(time.Second, 0)}},
			outside: map[time.Duration]Event{5 * time.Second: Deleted{}, 6 * time.Second: Deleted{}},
			until:   time.Hour,
			watch:   []string{"pod is", "finished", "SIG"},
			want:    []string{"0s pod is Pending", "0s pod is Running", "1s pod is Succeeded", "5s finished"},
		},
		{
			name:    "R126 deletion at the very start",
			spec:    app(),
			outside: del(0, time.Second),
			until:   time.Hour,
			watch:   []string{"start ", "finished", "SIG"},
			want:    []string{"0s start app #1", "0s SIGTERM to app", "0s finished"},
		},
	})
}

func TestAborted(t *testing.T) {
	play(t, []scenario{
		{
			name:    "SIGKILL now: no hook, no grace, no order",
			spec:    withInit(spec(named("app", preStop), named("b")), sidecar("s")),
			outside: map[time.Duration]Event{time.Second: Aborted{}, 2 * time.Second: Aborted{}},
			until:   time.Minute,
			watch:   []string{"Killing", "SIG", "hook", "exit ", "finished", "start "},
			want: []string{
				"0s start s #1", "0s start app #1", "0s start b #1",
				"1s Normal Killing Stopping container s", "1s SIGKILL to s",
				"1s" + stopping, "1s SIGKILL to app",
				"1s Normal Killing Stopping container b", "1s SIGKILL to b",
				"1s exit s #1 code 137", "1s exit app #1 code 137", "1s exit b #1 code 137",
				"1s finished",
			},
		},
		{
			name:    "in the midst of a deletion",
			spec:    withInit(app(), sidecar("s")),
			scripts: map[string]script{"app": {term: stubborn}},
			outside: map[time.Duration]Event{time.Second: Deleted{Grace: time.Second}, 1500 * time.Millisecond: Aborted{}},
			until:   time.Minute,
			watch:   []string{"Killing", "SIG", "finished"},
			want: []string{
				"1s Normal Killing Stopping container s", "1s" + stopping, "1s SIGTERM to app",
				"1.5s SIGKILL to s", "1.5s SIGKILL to app", "1.5s finished",
			},
		},
		{
			name: "in the midst of a probe kill",
			spec: app(liveness(1), preStop),
			scripts: map[string]script{"app": {
				probe: replies{Liveness: "500"}.answer, hook: hookTakes(PreStop, 10*time.Second, nil),
			}},
			outside: map[time.Duration]Event{time.Second: Aborted{}},
			until:   time.Minute,
			watch:   []string{"Killing", "SIG", "hook", "start ", "finished"},
			want: []string{
				"0s start app #1", "500ms" + killL, "500ms hook PreStop of app", "1s SIGKILL to app", "1s finished",
			},
		},
		{
			name: "while starting",
			spec: app(preStop),
			scripts: map[string]script{"app": {
				start: func(int) (time.Duration, string, string) { return 2 * time.Second, "", "" },
			}},
			outside: map[time.Duration]Event{time.Second: Aborted{}},
			until:   time.Minute,
			watch:   []string{"Killing", "SIG", "hook", "finished"},
			want:    []string{"2s" + stopping, "2s SIGKILL to app", "2s finished"},
		},
	})
}
