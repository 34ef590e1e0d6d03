package lifecycle

import (
	"testing"
	"time"
)

func TestStartup(t *testing.T) {
	uf, lf := failed(Startup), failed(Liveness)
	crashOnce := func(after time.Duration) func(int) exit {
		return func(n int) exit { return exit{after: after, code: 1, never: n > 1} }
	}
	play(t, []scenario{
		{
			name:    "C01 R38 gate",
			spec:    app(startup(30), readiness(1), liveness(1)),
			scripts: map[string]script{"app": {probe: replies{Startup: "500*5 200"}.answer}},
			until:   7 * time.Second,
			watch:   []string{"probe", "app is Running"},
			want: []string{
				"0s app is Running",
				"500ms Startup probe of app #1", "500ms" + uf,
				"1.5s Startup probe of app #1", "1.5s" + uf,
				"2.5s Startup probe of app #1", "2.5s" + uf,
				"3.5s Startup probe of app #1", "3.5s" + uf,
				"4.5s Startup probe of app #1", "4.5s" + uf,
				"5.5s Startup probe of app #1",
				"5.5s app is Running started",
				"5.5s Readiness probe of app #1",
				"5.5s app is Running started ready",
				"6.5s Readiness probe of app #1",
				"6.5s Liveness probe of app #1",
			},
		},
		{
			name:    "C02 R38 stops after success",
			spec:    app(startup(30)),
			scripts: map[string]script{"app": {probe: replies{Startup: "500*5 200 500"}.answer}},
			until:   time.Minute,
			counts:  map[string]int{"Startup probe of": 6, "Killing": 0},
		},
		{
			name:    "C03 budget exhausted",
			spec:    app(startup(3), liveness(1)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Startup: "500"})}},
			until:   5 * time.Second,
			watch:   []string{"Startup probe failed", "Killing", "SIG", "start app", "Liveness probe of app #1"},
			want: []string{
				"0s start app #1",
				"500ms" + uf, "1.5s" + uf, "2.5s" + uf,
				"2.5s" + killU, "2.5s SIGTERM to app", "2.5s start app #2",
			},
			check: wantRestarts(map[string]int32{"app": 1}),
		},
		{
			name:    "C04 boundary",
			spec:    app(startup(3)),
			scripts: map[string]script{"app": {probe: replies{Startup: "500*2 200"}.answer}},
			until:   10 * time.Second,
			watch:   []string{"app is Running", "Killing"},
			want:    []string{"0s app is Running", "2.5s app is Running started ready"},
		},
		{
			name:    "C05 failing liveness is masked",
			spec:    app(startup(30), liveness(1)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Startup: "500*5 200", Liveness: "500"})}},
			until:   9 * time.Second,
			watch:   []string{"Liveness probe", "Killing"},
			want:    []string{"6.5s Liveness probe of app #1", "6.5s" + lf, "6.5s" + killL, "8.5s Liveness probe of app #2"},
		},
		{
			name:    "C06 R99 ready flips with started",
			spec:    app(startup(30)),
			scripts: map[string]script{"app": {probe: replies{Startup: "500 200"}.answer}},
			until:   10 * time.Second,
			watch:   []string{"app is Running"},
			want:    []string{"0s app is Running", "1.5s app is Running started ready"},
		},
		{
			name:  "C08 R20 startup delay",
			spec:  app(startup(3, delayed(4))),
			until: 10 * time.Second,
			watch: []string{"Startup probe of"},
			want:  []string{"4.5s Startup probe of app #1"},
		},
		{
			name:  "C10 R97 no startup probe",
			spec:  app(readiness(1)),
			until: 300 * time.Millisecond,
			watch: []string{"app is Running"},
			want:  []string{"0s app is Running started"},
		},
		{
			name:    "C11 R39 fresh startup count",
			spec:    app(startup(3)),
			scripts: map[string]script{"app": {probe: replies{Startup: "500"}.answer}},
			until:   18 * time.Second,
			counts: map[string]int{
				"Startup probe of app #1": 3, "Startup probe of app #2": 3, "Startup probe of app #3": 3, "Killing": 3,
			},
		},
		{
			name:    "C12 R48 errors never end",
			spec:    app(startup(2), liveness(1)),
			scripts: map[string]script{"app": {probe: replies{Startup: "nocmd"}.answer}},
			until:   10 * time.Second,
			watch:   []string{"app is Running"},
			want:    []string{"0s app is Running"},
			counts: map[string]int{
				"Startup probe of": 30, // three attempts a run
				"Warning Unhealthy Startup probe errored and resulted in unknown state: no such file": 10,
				"Startup probe failed": 0, "Killing": 0, "Liveness probe of": 0,
			},
		},
		{
			name:    "C13 R129 probe-level grace of startup",
			spec:    withGrace(60, app(startup(1, probeGrace(3)), liveness(1, probeGrace(7)))),
			scripts: map[string]script{"app": {probe: onFirst(replies{Startup: "500"}), term: stubborn}},
			until:   5 * time.Second,
			watch:   []string{"SIG"},
			want:    []string{"500ms SIGTERM to app", "3.5s SIGKILL to app"},
		},
		{
			name: "R104 every instance has to start up by itself",
			spec: app(startup(30), readiness(1), liveness(1)),
			scripts: map[string]script{"app": {
				probe: replies{Startup: "500 200"}.answer,
				life:  crashOnce(5 * time.Second),
			}},
			until: 6600 * time.Millisecond,
			watch: []string{"app is", "probe of app #2"},
			want: []string{
				"0s app is Waiting ContainerCreating",
				"0s app is Running",
				"1.5s app is Running started",
				"1.5s app is Running started ready",
				"5s app is Terminated Error 1",
				"5s app is Running",
				"5.5s Startup probe of app #2",
				"6.5s Startup probe of app #2",
				"6.5s app is Running started",
				"6.5s Readiness probe of app #2",
				"6.5s app is Running started ready",
			},
		},
		{
			name: "R32 startup failures are remembered over a crash",
			spec: app(startup(3)),
			scripts: map[string]script{"app": {
				probe: replies{Startup: "500"}.answer,
				life:  crashOnce(2 * time.Second),
			}},
			until: 3 * time.Second,
			watch: []string{"Killing", "exit "},
			want:  []string{"2s exit app #1 code 1", "2.5s" + killU, "2.5s exit app #2 code 143"},
		},
		{
			name:    "R118 liveness of a started instance says liveness",
			spec:    app(startup(1), liveness(1)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Startup: "200", Liveness: "500"})}},
			until:   3 * time.Second,
			watch:   []string{"Killing"},
			want:    []string{"1.5s" + killL},
		},
	})
}
