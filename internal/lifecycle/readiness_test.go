package lifecycle

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestReadiness(t *testing.T) {
	rf := failed(Readiness)
	crashOnce := func(after time.Duration) func(int) exit {
		return func(n int) exit { return exit{after: after, code: 1, never: n > 1} }
	}
	play(t, []scenario{
		{
			name:  "B01 R22 starts NotReady",
			spec:  app(readiness(3, delayed(2))),
			until: 5 * time.Second,
			watch: []string{"app is", "cond Ready"},
			want: []string{
				"0s app is Waiting ContainerCreating",
				"0s cond Ready is False ContainersNotReady containers with unready status: [app]",
				"0s app is Running started",
				"2.5s app is Running started ready",
				"2.5s cond Ready is True",
			},
		},
		{
			name:    "B02 never restarts",
			spec:    app(readiness(1)),
			scripts: map[string]script{"app": {probe: replies{Readiness: "500"}.answer}},
			until:   10 * time.Second,
			counts:  map[string]int{"Readiness probe failed": 10, "Killing": 0, "start app": 1, "app is Running started ready": 0},
			check:   wantRestarts(map[string]int32{"app": 0}),
		},
		{
			name:    "B03 R13 down after F, then triggeredAt at once",
			spec:    app(readiness(3)),
			scripts: map[string]script{"app": {probe: replies{Readiness: "200*3 500"}.answer}},
			until:   7 * time.Second,
			watch:   []string{"app is Running", "Unhealthy"},
			want: []string{
				"0s app is Running started",
				"500ms app is Running started ready",
				"3.5s" + rf, "4.5s" + rf, "5.5s" + rf,
				"5.5s app is Running started",
				"5.5s" + rf, // the trigger
				"6.5s" + rf,
			},
		},
		{
			name:    "B04 R29 down needs consecutive failures",
			spec:    app(readiness(3)),
			scripts: map[string]script{"app": {probe: replies{Readiness: "200 500*2 200 500*2 200"}.answer}},
			until:   20 * time.Second,
			watch:   []string{"app is Running"},
			want:    []string{"0s app is Running started", "500ms app is Running started ready"},
			counts:  map[string]int{"Readiness probe failed": 4},
		},
		{
			name:    "B05 R28 up after S",
			spec:    app(readiness(1, succeeds(3))),
			scripts: map[string]script{"app": {probe: replies{Readiness: "200*2 500 200"}.answer}},
			until:   20 * time.Second,
			watch:   []string{"app is Running"},
			want:    []string{"0s app is Running started", "5.5s app is Running started ready"},
		},
		{
			name: "B06 in between Ready is kept",
			spec: app(readiness(2, succeeds(2))),
			scripts: map[string]script{"app": {probe: func(r probeRun) answer {
				if r.n > 2 && r.n%2 == 1 {
					return answer{outcome: OutcomeFailure}
				}
				return answer{}
			}}},
			until: 12 * time.Second,
			watch: []string{"app is Running"},
			want:  []string{"0s app is Running started", "1.5s app is Running started ready"},
		},
		{
			name: "B06 in between NotReady is kept",
			spec: app(readiness(2, succeeds(2))),
			scripts: map[string]script{"app": {probe: func(r probeRun) answer {
				return answer{outcome: []ProbeOutcome{OutcomeSuccess, OutcomeFailure}[r.n%2]}
			}}},
			until: 12 * time.Second,
			watch: []string{"app is Running"},
			want:  []string{"0s app is Running started"},
		},
		{
			name:    "B07 R109 recovery",
			spec:    app(readiness(1, period(5))),
			scripts: map[string]script{"app": {probe: replies{Readiness: "200 500 500 200"}.answer}},
			until:   20 * time.Second,
			watch:   []string{"Ready is"},
			want: []string{
				"0s cond Ready is False ContainersNotReady containers with unready status: [app]",
				"0s cond ContainersReady is False ContainersNotReady containers with unready status: [app]",
				"500ms cond Ready is True",
				"500ms cond ContainersReady is True",
				"5.5s cond Ready is False ContainersNotReady containers with unready status: [app]",
				"5.5s cond ContainersReady is False ContainersNotReady containers with unready status: [app]",
				"10.5s cond Ready is True", // the trigger at 5.5 s failed and began the period anew
				"10.5s cond ContainersReady is True",
			},
			check: func(t *testing.T, w *testNode) {
				for _, c := range []corev1.PodConditionType{corev1.PodReady, corev1.ContainersReady} {
					if got := w.condition(c).LastTransitionTime.Sub(w.start); got != 10*time.Second {
						t.Errorf("%s changed at %v, want 10s", c, got)
					}
				}
			},
		},
		{
			name:  "B08 R99 no readiness probe: ready as soon as it runs",
			spec:  app(),
			until: time.Minute,
			watch: []string{"app is"},
			want:  []string{"0s app is Waiting ContainerCreating", "0s app is Running started ready"},
		},
		{
			name:    "B09 R101 a crash un-readies",
			spec:    app(readiness(1, period(5))),
			scripts: map[string]script{"app": {life: crashOnce(3 * time.Second)}},
			until:   10 * time.Second,
			watch:   []string{"app is", "cond Ready"},
			want: []string{
				"0s app is Waiting ContainerCreating",
				"0s cond Ready is False ContainersNotReady containers with unready status: [app]",
				"0s app is Running started",
				"500ms app is Running started ready",
				"500ms cond Ready is True",
				"3s app is Terminated Error 1",
				"3s cond Ready is False ContainersNotReady containers with unready status: [app]",
				"3s app is Running started",
				"4s app is Running started ready", // by the trigger; the tick is at 5.5 s
				"4s cond Ready is True",
			},
		},
		{
			name:    "B11 R44 a warning is a success",
			spec:    app(readiness(1)),
			scripts: map[string]script{"app": {probe: replies{Readiness: "302"}.answer}},
			until:   2 * time.Second,
			watch:   []string{"Warning", "app is Running"},
			want: []string{
				"0s app is Running started",
				"500ms Warning ProbeWarning Readiness probe warning: Probe terminated redirects, Response body: moved",
				"500ms app is Running started ready",
				"1.5s Warning ProbeWarning Readiness probe warning: Probe terminated redirects, Response body: moved",
			},
		},
		{
			name:    "B12 R48 errors freeze Ready",
			spec:    app(readiness(1)),
			scripts: map[string]script{"app": {probe: replies{Readiness: "200*3 stall@1s"}.answer}},
			until:   13 * time.Second,
			watch:   []string{"app is Running", "Warning"},
			want: []string{
				"0s app is Running started",
				"500ms app is Running started ready",
				"6.5s Warning Unhealthy Readiness probe errored and resulted in failure state: context deadline exceeded",
				"9.5s Warning Unhealthy Readiness probe errored and resulted in failure state: context deadline exceeded",
				"12.5s Warning Unhealthy Readiness probe errored and resulted in failure state: context deadline exceeded",
			},
		},
		{
			name:  "B15 schedule when Ready",
			spec:  app(readiness(1, period(3))),
			until: 9 * time.Second,
			watch: []string{"Readiness probe of"},
			want:  []string{"500ms Readiness probe of app #1", "3.5s Readiness probe of app #1", "6.5s Readiness probe of app #1"},
		},
		{
			name: "B16 R40 readiness goes on during preStop and grace",
			spec: app(liveness(1), readiness(1), preStop),
			scripts: map[string]script{"app": {
				probe: onFirst(replies{Liveness: "200 500", Readiness: "200*2 500"}),
				hook:  hookTakes(PreStop, 3*time.Second, nil),
				term:  exits(2*time.Second, 0),
			}},
			until: 6500 * time.Millisecond,
			watch: []string{"app is Running", "Readiness probe failed", "hook", "SIG", "exit "},
			want: []string{
				"0s app is Running started",
				"500ms app is Running started ready",
				"1.5s hook PreStop of app",
				"2.5s" + rf,
				"2.5s app is Running started",
				"2.5s" + rf,
				"3.5s" + rf,
				"4.5s SIGTERM to app",
				"4.5s" + rf,
				"5.5s" + rf,
				"6.5s exit app #1 code 0",
				"6.5s app is Running started",
			},
		},
		{
			name: "B18 R105 two containers",
			spec: spec(named("a", readiness(1)), named("b", readiness(1))),
			scripts: map[string]script{
				"b": {probe: replies{Readiness: "500"}.answer},
			},
			until: 2 * time.Second,
			watch: []string{"cond Ready", "cond ContainersReady"},
			want: []string{
				"0s cond Ready is False ContainersNotReady containers with unready status: [a b]",
				"0s cond ContainersReady is False ContainersNotReady containers with unready status: [a b]",
				"500ms cond Ready is False ContainersNotReady containers with unready status: [b]",
				"500ms cond ContainersReady is False ContainersNotReady containers with unready status: [b]",
			},
		},
		{
			name: "R33 successes are remembered over a crash",
			spec: app(readiness(3, succeeds(3))),
			scripts: map[string]script{"app": {
				life: crashOnce(5200 * time.Millisecond),
			}},
			until: 8 * time.Second,
			watch: []string{"app is Running", "exit "},
			want: []string{
				"0s app is Running started",
				"2.5s app is Running started ready",
				"5.2s exit app #1 code 1",
				"5.2s app is Running started",
				"5.5s app is Running started ready", // one success was enough
			},
		},
		{
			name:    "R103 startup success triggers readiness, not liveness",
			spec:    app(startup(30), readiness(1, period(10)), liveness(1, period(10))),
			scripts: map[string]script{"app": {probe: replies{Startup: "500*2 200"}.answer}},
			until:   11 * time.Second,
			watch:   []string{"Readiness probe of", "Liveness probe of", "app is Running"},
			want: []string{
				"0s app is Running",
				"2.5s app is Running started",
				"2.5s Readiness probe of app #1",
				"2.5s app is Running started ready",
				"10.5s Liveness probe of app #1",
			},
		},
		{
			name:    "R23 R19.8 the initial delay drops the trigger",
			spec:    app(startup(30), readiness(1, period(10), delayed(5))),
			scripts: map[string]script{"app": {probe: replies{Startup: "500*2 200"}.answer}},
			until:   20 * time.Second,
			watch:   []string{"Readiness probe of"},
			want:    []string{"5.5s Readiness probe of app #1", "15.5s Readiness probe of app #1"},
		},
		{
			name:    "R14 R18 what is not ready is probed once a minute at least",
			spec:    app(readiness(1, period(300))),
			scripts: map[string]script{"app": {probe: replies{Readiness: "500*3 200"}.answer}},
			until:   500 * time.Second,
			watch:   []string{"Readiness probe of"},
			want: []string{
				"500ms Readiness probe of app #1",
				"1m0.5s Readiness probe of app #1",
				"2m0.5s Readiness probe of app #1",
				"3m0.5s Readiness probe of app #1",
				// ready: the ticks alone, anew since the last trigger
				"8m0.5s Readiness probe of app #1",
			},
		},
		{
			name: "R13 R14 every new status triggers what is not ready",
			spec: spec(named("a", readiness(1, period(30))), named("b", readiness(1, period(30)))),
			scripts: map[string]script{
				"a": {probe: replies{Readiness: "500"}.answer},
				"b": {life: crashOnce(5 * time.Second)},
			},
			until: 10 * time.Second,
			watch: []string{"Readiness probe of"},
			want: []string{
				"500ms Readiness probe of a #1",
				"500ms Readiness probe of b #1",
				"500ms Readiness probe of a #1", // b became ready
				"5s Readiness probe of a #1",    // b crashed
				"5s Readiness probe of a #1",    // and runs again: the trigger was remembered
				"6s Readiness probe of b #2",
				"6s Readiness probe of a #1",
			},
		},
	})
}

func TestReadinessGates(t *testing.T) { // B17 R107
	s := app()
	s.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/x"}, {ConditionType: "example.com/y"}}
	set := func(name, status string) ConditionSet {
		return ConditionSet{corev1.PodCondition{Type: corev1.PodConditionType(name), Status: corev1.ConditionStatus(status)}}
	}
	w := newTestNode(t, s, Options{})
	w.at(1*time.Second, set("example.com/x", "False"))
	w.at(2*time.Second, set("example.com/y", "True"))
	w.at(3*time.Second, set("example.com/x", "True"))
	w.at(4*time.Second, set("example.com/x", "True"))
	w.at(5*time.Second, set("example.com/x", "Unknown"))
	w.run(10 * time.Second)
	missing := func(gate string) string {
		return fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", gate)
	}
	want := []string{
		"0s cond Ready is False ContainersNotReady containers with unready status: [app]",
		"0s cond ContainersReady is False ContainersNotReady containers with unready status: [app]",
		"0s cond Ready is False ReadinessGatesNotReady " + missing("example.com/x") + ", " + missing("example.com/y"),
		"0s cond ContainersReady is True",
		`1s cond Ready is False ReadinessGatesNotReady the status of pod readiness gate "example.com/x" is not "True", but False, ` + missing("example.com/y"),
		`2s cond Ready is False ReadinessGatesNotReady the status of pod readiness gate "example.com/x" is not "True", but False`,
		"3s cond Ready is True",
		`5s cond Ready is False ReadinessGatesNotReady the status of pod readiness gate "example.com/x" is not "True", but Unknown`,
	}
	if diff := cmp.Diff(want, w.seen("Ready is")); diff != "" {
		t.Error(diff)
	}
	if got := w.pod.On(set("example.com/x", "Unknown"), w.now); len(got) != 0 {
		t.Errorf("effects of a condition that is already so: %v", got)
	}
}

// The testNode checks in every test that SuccessIsRoutine promises nothing wrong; this one checks
// that it promises something.
func TestCalm(t *testing.T) {
	s := app()
	s.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 2, FailureThreshold: 2}
	w := newTestNode(t, s, Options{})
	finds := []ProbeOutcome{OutcomeSuccess, OutcomeSuccess, OutcomeSuccess, OutcomeFailure, OutcomeSuccess, OutcomeFailure, OutcomeFailure, OutcomeSuccess, OutcomeSuccess, OutcomeSuccess}
	want := []bool{false, false, true, true, false, true, false, false, false, true}
	var got []bool
	w.scripts["app"].probe = func(run probeRun) answer {
		if len(got) < len(want) {
			got = append(got, w.pod.SuccessIsRoutine("app", Readiness))
		}
		return answer{outcome: finds[min(run.n, len(finds))-1]}
	}
	w.run(30 * time.Second)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routine before each attempt (-want +got):\n%s", diff)
	}
}
