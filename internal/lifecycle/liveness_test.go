package lifecycle

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestLiveness(t *testing.T) {
	lf, rf := failed(Liveness), failed(Readiness)
	play(t, []scenario{
		{
			name:    "A01 R30 R128 three strikes",
			spec:    app(liveness(3)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "200*3 500"})}},
			until:   10 * time.Second,
			watch:   []string{"start app", "Warning", "Normal", "SIG"},
			want: []string{
				`0s Normal Pulled Container image "" already present on machine and can be accessed by the pod`,
				"0s start app #1",
				"0s Normal Created Container created",
				"0s Normal Started Container started",
				"3.5s" + lf,
				"4.5s" + lf,
				"5.5s" + lf,
				"5.5s" + killL,
				"5.5s SIGTERM to app",
				`5.5s Normal Pulled Container image "" already present on machine and can be accessed by the pod`,
				"5.5s start app #2",
				"5.5s Normal Created Container created",
				"5.5s Normal Started Container started",
			},
			check: wantRestarts(map[string]int32{"app": 1}),
		},
		{
			name:    "A02 single strike",
			spec:    app(liveness(1)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "200 500"})}},
			until:   10 * time.Second,
			watch:   []string{"Warning", "Killing", "SIG"},
			want:    []string{"1.5s" + lf, "1.5s" + killL, "1.5s SIGTERM to app"},
		},
		{
			name: "A03 R29 consecutive only",
			spec: app(liveness(3)),
			scripts: map[string]script{"app": {probe: func(r probeRun) answer {
				if r.n%3 == 0 {
					return answer{}
				}
				return answer{outcome: OutcomeFailure}
			}}},
			until:  15 * time.Second,
			counts: map[string]int{"Liveness probe of": 15, "Liveness probe failed": 10, "Killing": 0, "start app": 1},
		},
		{
			name:    "A04 R27 a success resets, then the full count",
			spec:    app(liveness(3)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "500*2 200 500"})}},
			until:   10 * time.Second,
			watch:   []string{"Unhealthy", "Killing"},
			want:    []string{"500ms" + lf, "1.5s" + lf, "3.5s" + lf, "4.5s" + lf, "5.5s" + lf, "5.5s" + killL},
		},
		{
			name:    "A05 R37 no probe after the verdict",
			spec:    app(liveness(2)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "500"}), term: exits(4*time.Second, 0)}},
			until:   6500 * time.Millisecond,
			watch:   []string{"probe of", "SIG", "exit ", "start "},
			want: []string{
				"0s start app #1",
				"500ms Liveness probe of app #1",
				"1.5s Liveness probe of app #1",
				"1.5s SIGTERM to app",
				"5.5s exit app #1 code 0",
				"5.5s start app #2",
				"6.5s Liveness probe of app #2",
			},
		},
		{
			name:    "A06 R37 recovery is too late",
			spec:    app(liveness(2)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "500*2 200"}), term: exits(4*time.Second, 0)}},
			until:   20 * time.Second,
			watch:   []string{"Killing", "exit", "start app"},
			want:    []string{"0s start app #1", "1.5s" + killL, "5.5s exit app #1 code 0", "5.5s start app #2"},
			counts:  map[string]int{"Liveness probe of app #1": 2},
		},
		{
			name:    "A07 R39 fresh count after a probe restart",
			spec:    app(liveness(3)),
			scripts: map[string]script{"app": {probe: replies{Liveness: "500"}.answer}},
			until:   20 * time.Second,
			watch:   []string{"start app", "Killing"},
			want: []string{
				"0s start app #1", "2.5s" + killL,
				// the tick of the kill is over (R9): the next one is a period later
				"2.5s start app #2", "5.5s" + killL,
				"5.5s start app #3", "8.5s" + killL,
				"18.5s start app #4",
			},
			counts: map[string]int{
				"Liveness probe of app #1": 3, "Liveness probe of app #2": 3, "Liveness probe of app #3": 3,
			},
		},
		{
			name:   "A09 R20 initial delay",
			spec:   app(liveness(3, delayed(3))),
			until:  5 * time.Second,
			watch:  []string{"Liveness probe of"},
			want:   []string{"3.5s Liveness probe of app #1", "4.5s Liveness probe of app #1"},
			counts: map[string]int{"Warning": 0},
		},
		{
			name:    "A10 R20 the initial delay applies to every instance",
			spec:    app(liveness(1, delayed(3))),
			scripts: map[string]script{"app": {probe: replies{Liveness: "500"}.answer, term: exits(300*time.Millisecond, 143)}},
			until:   12 * time.Second,
			watch:   []string{"Liveness probe of", "start app"},
			want: []string{
				"0s start app #1",
				"3.5s Liveness probe of app #1",
				"3.8s start app #2",
				"7.5s Liveness probe of app #2", // ticks stay at .5 (R9)
				"7.8s start app #3",
				"11.5s Liveness probe of app #3",
			},
		},
		{
			name:    "A11 slow but in time",
			spec:    app(liveness(1, timeout(2), period(3))),
			scripts: map[string]script{"app": {probe: replies{Liveness: "200@1.5s"}.answer}},
			until:   7 * time.Second,
			watch:   []string{"Liveness probe", "Warning"},
			want:    []string{"500ms Liveness probe of app #1", "3.5s Liveness probe of app #1", "6.5s Liveness probe of app #1"},
		},
		{
			name:    "A12 a timeout is a failure",
			spec:    app(liveness(2, period(2))),
			scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "500@1s"})}},
			until:   4 * time.Second,
			watch:   []string{"Liveness probe", "Killing"},
			want: []string{
				"500ms Liveness probe of app #1", "1.5s" + lf,
				"2.5s Liveness probe of app #1", "3.5s" + lf, "3.5s" + killL,
			},
		},
		{
			name:    "A14 R12 timeout longer than the period",
			spec:    app(liveness(2, timeout(3))),
			scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "500@3s"})}},
			until:   6500 * time.Millisecond,
			watch:   []string{"Liveness probe", "Killing"},
			want: []string{
				"500ms Liveness probe of app #1", "3.5s" + lf,
				"3.5s Liveness probe of app #1", "6.5s" + lf, "6.5s" + killL,
			},
		},
		{
			name:    "A15 R40 R100 liveness does not un-ready",
			spec:    app(liveness(1), readiness(1)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "200*2 500"}), term: exits(4*time.Second, 0)}},
			until:   8 * time.Second,
			watch:   []string{"Readiness probe of", "app is", "SIG"},
			want: []string{
				"0s app is Waiting ContainerCreating",
				"0s app is Running started",
				"500ms Readiness probe of app #1",
				"500ms app is Running started ready",
				"1.5s Readiness probe of app #1",
				"2.5s Readiness probe of app #1",
				"2.5s SIGTERM to app",
				"3.5s Readiness probe of app #1",
				"4.5s Readiness probe of app #1",
				"5.5s Readiness probe of app #1",
				"6.5s app is Terminated Completed 0",
				"6.5s app is Running started",
				"7.5s Readiness probe of app #2",
				"7.5s app is Running started ready",
			},
		},
		{
			name:    "A16 R122 only the failed container",
			spec:    spec(named("a", liveness(1)), named("b", liveness(1), readiness(1))),
			scripts: map[string]script{"a": {probe: onFirst(replies{Liveness: "500"})}},
			until:   20 * time.Second,
			watch:   []string{"SIG", "start a", "start b", "b is"},
			want: []string{
				"0s start a #1",
				"0s b is Waiting ContainerCreating",
				"0s start b #1",
				"0s b is Running started",
				"500ms SIGTERM to a",
				"500ms b is Running started ready",
				"500ms start a #2",
			},
			check: wantRestarts(map[string]int32{"a": 1, "b": 0}),
		},
		{
			name: "A17 R122 kills never overlap",
			spec: withGrace(5, spec(named("a", liveness(1)), named("b", liveness(1)))),
			scripts: map[string]script{
				"a": {probe: onFirst(replies{Liveness: "500"}), term: stubborn},
				"b": {probe: onFirst(replies{Liveness: "500"})},
			},
			until: 10 * time.Second,
			watch: []string{"Killing", "SIG", "exit ", "start "},
			want: []string{
				"0s start a #1",
				"0s start b #1",
				"500ms Normal Killing Container a failed liveness probe, will be restarted",
				"500ms SIGTERM to a",
				"5.5s SIGKILL to a",
				"5.5s exit a #1 code 137",
				"5.5s start a #2",
				"5.5s Normal Killing Container b failed liveness probe, will be restarted",
				"5.5s SIGTERM to b",
				"5.5s exit b #1 code 143",
				"5.5s start b #2",
			},
		},
		{
			name:  "A18 no liveness probe, no kill",
			spec:  app(readiness(1)),
			until: time.Hour,
			scripts: map[string]script{
				"app": {probe: replies{Readiness: "500"}.answer},
			},
			counts: map[string]int{"Killing": 0, "SIG": 0, "start app": 1},
		},
		{
			name:   "A19 healthy for long",
			spec:   app(liveness(3)),
			until:  20 * time.Second,
			counts: map[string]int{"Liveness probe of": 20, "Warning": 0, "Killing": 0},
		},
		{
			name: "A21 R35 a result belongs to its instance",
			spec: app(liveness(1, timeout(3))),
			scripts: map[string]script{"app": {
				probe: onFirst(replies{Liveness: "500@2s"}),
				life:  func(n int) exit { return exit{after: time.Second, code: 1, never: n > 1} },
			}},
			until: 10 * time.Second,
			watch: []string{"Liveness probe of app #1", "cancelled", "Unhealthy", "Killing", "start ", "exit "},
			want: []string{
				"0s start app #1",
				"500ms Liveness probe of app #1",
				"1s exit app #1 code 1",
				"1s Liveness cancelled on app #1",
				"1s start app #2",
			},
		},
		{
			name:    "A22 R11 workers are independent",
			spec:    app(liveness(1), readiness(1, timeout(5))),
			scripts: map[string]script{"app": {probe: replies{Readiness: "200@3s"}.answer}},
			until:   4 * time.Second,
			watch:   []string{"probe of"},
			want: []string{
				"500ms Readiness probe of app #1",
				"500ms Liveness probe of app #1",
				"1.5s Liveness probe of app #1",
				"2.5s Liveness probe of app #1",
				"3.5s Readiness probe of app #1", // it answered, and the missed tick is made up for
				"3.5s Liveness probe of app #1",
			},
		},
		{
			name: "R32 failures are remembered over a crash",
			spec: app(liveness(3)),
			scripts: map[string]script{"app": {
				probe: replies{Liveness: "500"}.answer,
				life:  func(n int) exit { return exit{after: 2 * time.Second, code: 1, never: n > 1} },
			}},
			until: 3 * time.Second,
			watch: []string{"Unhealthy", "Killing", "exit app"},
			want: []string{
				"500ms" + lf, "1.5s" + lf, "2s exit app #1 code 1",
				"2.5s" + lf, "2.5s" + killL, "2.5s exit app #2 code 143",
			},
		},
		{
			name:    "R100 a failing readiness does not count for liveness",
			spec:    app(liveness(2), readiness(1)),
			scripts: map[string]script{"app": {probe: replies{Liveness: "500 200", Readiness: "500"}.answer}},
			until:   2 * time.Second,
			watch:   []string{"Unhealthy", "Killing"},
			want:    []string{"500ms" + rf, "500ms" + lf, "1.5s" + rf},
		},
		{
			name:   "K07 K08 the spec's own probe is run",
			spec:   app(liveness(3, timeout(7))),
			until:  time.Second,
			counts: map[string]int{"Liveness probe of": 1},
			check: func(t *testing.T, w *testNode) {
				probe := w.pod.pod.Spec.Containers[0].LivenessProbe
				for _, e := range w.effects {
					if run, ok := e.(RunProbe); ok && run.Probe != probe {
						t.Errorf("RunProbe carries %+v, want the probe of the spec", run.Probe)
					}
				}
			},
		},
	})
}

func wantRestarts(want map[string]int32) func(*testing.T, *testNode) {
	return func(t *testing.T, w *testNode) {
		t.Helper()
		for name, n := range want {
			if got := w.containerStatus(name).RestartCount; got != n {
				t.Errorf("restartCount of %s = %d, want %d", name, got, n)
			}
		}
	}
}

func wantPhase(want corev1.PodPhase) func(*testing.T, *testNode) {
	return func(t *testing.T, w *testNode) {
		t.Helper()
		if got := w.pod.Status(w.now).Phase; got != want {
			t.Errorf("phase = %s, want %s", got, want)
		}
	}
}
