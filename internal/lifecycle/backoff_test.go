package lifecycle

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func inSeconds(n ...int) []time.Duration {
	var d []time.Duration
	for _, s := range n {
		d = append(d, time.Duration(s)*time.Second)
	}
	return d
}

func TestCrashLoop(t *testing.T) {
	tests := []struct {
		name string
		life func(instance int) exit
		opts Options
		want []time.Duration // from each exit to the next start
	}{
		{"J08 R150 exit 1 after a second", exits(time.Second, 1), Options{}, inSeconds(0, 10, 20, 40, 80, 160, 300, 300, 300)},
		{"J01 R155 exit 0 after a second", exits(time.Second, 0), Options{}, inSeconds(0, 10, 20, 40, 80, 160, 300, 300, 300)},
		{"R148 a life longer than the delay is no excuse", exits(250*time.Second, 1), Options{}, inSeconds(0, 10, 20, 40, 80, 160, 300)},
		{"R147 cap of 45 s", exits(time.Second, 1), Options{MaxRestartPeriod: 45 * time.Second}, inSeconds(0, 10, 20, 40, 45, 45)},
		{"R147 cap of 10 s", exits(time.Second, 1), Options{MaxRestartPeriod: 10 * time.Second}, inSeconds(0, 10, 10, 10)},
		{"R147 cap of 3 s", exits(time.Second, 1), Options{MaxRestartPeriod: 3 * time.Second}, inSeconds(0, 3, 3, 3)},
		{"J13 R152 600 s after the last counted restart the record holds", lives(1, 590, 1), Options{}, inSeconds(0, 10, 20)},
		{"J13 R152 it may expire while a start waits", lives(1, 591, 1), Options{}, inSeconds(0, 10, 10)},
		{"J13 R152 once it is forgotten nothing waits", lives(1, 601, 1, 1), Options{}, inSeconds(0, 0, 10, 20)},
		{"R146 the expiry is the same under a cap", lives(1, 599, 1, 601, 1, 1), Options{MaxRestartPeriod: 3 * time.Second}, inSeconds(0, 3, 3, 0, 3, 3)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newTestNode(t, app(), tt.opts)
			w.scripts["app"].life = tt.life
			w.run(2 * time.Hour)
			got := w.delays("app")
			if len(got) < len(tt.want) {
				t.Fatalf("%d restarts, want at least %d", len(got), len(tt.want))
			}
			if diff := cmp.Diff(tt.want, got[:len(tt.want)]); diff != "" {
				t.Errorf("delays (-want +got):\n%s", diff)
			}
		})
	}
}

// lives crashes after each of the given numbers of seconds; the last one is repeated.
func lives(seconds ...int) func(int) exit {
	return func(n int) exit {
		return exit{after: time.Duration(seconds[min(n, len(seconds))-1]) * time.Second, code: 1}
	}
}

// TestProbeKillLoop is the table of R151: delays after each kill by the lifetime of the instances.
func TestProbeKillLoop(t *testing.T) {
	short := inSeconds(0, 0, 10, 20, 40, 80, 160, 300, 0, 300, 0)
	tests := map[int][]time.Duration{
		1:  short,
		2:  short,
		5:  short,
		9:  short,
		12: inSeconds(0, 0, 0, 20, 40, 80, 160, 300, 0, 300),
		30: inSeconds(0, 0, 0, 0, 40, 80, 160, 300, 0, 300),
		60: inSeconds(0, 0, 0, 0, 0, 80, 160, 300, 0, 300),
	}
	for _, lifetime := range sortedKeys(tests) {
		t.Run(fmt.Sprintf("R151 killed after %d s", lifetime), func(t *testing.T) {
			w := newTestNode(t, app(liveness(1)), Options{})
			w.scripts["app"].probe = killedAt(time.Duration(lifetime) * time.Second)
			w.run(2 * time.Hour)
			want := tests[lifetime]
			got := w.delays("app")
			if diff := cmp.Diff(want, got[:min(len(got), len(want))]); diff != "" {
				t.Errorf("delays (-want +got):\n%s", diff)
			}
		})
	}
}

// killedAt answers the first liveness probe of each instance so late that the kill falls on the
// given age.
func killedAt(age time.Duration) func(probeRun) answer {
	return func(r probeRun) answer { return answer{outcome: OutcomeFailure, after: age - r.age} }
}

func TestBackoffInAPod(t *testing.T) {
	const backOff = " Warning BackOff Back-off restarting failed container app in pod web_default(u1)"
	play(t, []scenario{
		{
			name:    "J08 R149 one event per refused attempt, at most a minute apart",
			spec:    app(),
			scripts: map[string]script{"app": {life: exits(time.Second, 1)}},
			until:   330 * time.Second,
			watch:   []string{"BackOff Back-off", "start "},
			want: []string{
				"0s start app #1",
				"1s start app #2", "2s" + backOff,
				"12s start app #3", "13s" + backOff,
				"33s start app #4", "34s" + backOff,
				"1m14s start app #5", "1m15s" + backOff, "2m15s" + backOff,
				"2m35s start app #6", "2m36s" + backOff, "3m36s" + backOff, "4m36s" + backOff,
				"5m16s start app #7", "5m17s" + backOff,
			},
		},
		{
			name:    "J10 R151 the defaults loop",
			spec:    app(liveness(3, period(10))),
			scripts: map[string]script{"app": {probe: replies{Liveness: "500"}.answer}},
			until:   10 * time.Minute,
			watch:   []string{"start ", "SIG"},
			want: []string{
				// the first tick comes early; later instances keep the phase
				"0s start app #1", "20.5s SIGTERM to app",
				"20.5s start app #2", "50.5s SIGTERM to app",
				"50.5s start app #3", "1m20.5s SIGTERM to app",
				"1m20.5s start app #4", "1m50.5s SIGTERM to app",
				// 30 s since the end before: more than the delay of 20 s
				"1m50.5s start app #5", "2m20.5s SIGTERM to app",
				"3m0.5s start app #6", "3m30.5s SIGTERM to app",
				"4m50.5s start app #7", "5m20.5s SIGTERM to app",
				"8m0.5s start app #8", "8m30.5s SIGTERM to app",
			},
		},
		{
			name:    "R151 a cap below the lifetime means no back-off for probe kills",
			spec:    app(liveness(2)),
			opts:    Options{MaxRestartPeriod: time.Second},
			scripts: map[string]script{"app": {probe: replies{Liveness: "500"}.answer}},
			until:   45 * time.Second,
			counts:  map[string]int{"BackOff": 0},
			check: func(t *testing.T, w *testNode) {
				if got := w.containerStatus("app").RestartCount; got < 20 {
					t.Errorf("restartCount = %d, want at least 20", got)
				}
			},
		},
		{
			name:    "J20 R154 no restart limit",
			spec:    app(),
			opts:    Options{MaxRestartPeriod: time.Second},
			scripts: map[string]script{"app": {life: func(n int) exit { return exit{after: time.Second, code: 1, never: n > 30} }}},
			until:   10 * time.Minute,
			check:   wantRestarts(map[string]int32{"app": 30}),
		},
		{
			name:    "J17 R117 a crash-looping Pod is Running and not Ready",
			spec:    app(),
			scripts: map[string]script{"app": {life: exits(time.Second, 1)}},
			until:   5 * time.Second,
			check: func(t *testing.T, w *testNode) {
				wantPhase(corev1.PodRunning)(t, w)
				c := w.condition(corev1.PodReady)
				if c.Status != corev1.ConditionFalse || c.Reason != "ContainersNotReady" {
					t.Errorf("Ready is %s %s, want False ContainersNotReady", c.Status, c.Reason)
				}
			},
		},
	})
}

func TestCrashLoopBackOffState(t *testing.T) { // J11 R113 R114
	w := newTestNode(t, app(), Options{})
	w.scripts["app"].life = exits(time.Second, 3)
	tests := []struct {
		at      time.Duration
		message string
	}{
		{5 * time.Second, "back-off 10s restarting failed container=app pod=web_default(u1)"},
		{20 * time.Second, "back-off 20s restarting failed container=app pod=web_default(u1)"},
		{2 * time.Minute, "back-off 1m20s restarting failed container=app pod=web_default(u1)"},
		{20 * time.Minute, "back-off 5m0s restarting failed container=app pod=web_default(u1)"},
	}
	for _, tt := range tests {
		w.run(tt.at)
		s := w.containerStatus("app")
		want := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: tt.message}}
		if diff := cmp.Diff(want, s.State); diff != "" {
			t.Errorf("state at %v:\n%s", tt.at, diff)
		}
		if last := s.LastTerminationState.Terminated; last == nil || last.ExitCode != 3 {
			t.Errorf("lastState at %v = %+v, want exit code 3", tt.at, last)
		}
	}
}

func TestBackoff(t *testing.T) { // R146–R148, the type alone
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	var b Backoff
	if b.Refuse(at(0), at(0)) {
		t.Error("refused without a record")
	}
	b.Next(at(0))
	tests := []struct {
		name          string
		finished, now int
		want          bool
	}{
		{"within the delay", 5, 14, true},
		{"at its end", 5, 15, false},
		{"finished just now, on the day of expiry", 600, 600, true},
		{"finished just now, after expiry", 601, 601, false},
	}
	for _, tt := range tests {
		if got := b.Refuse(at(tt.finished), at(tt.now)); got != tt.want {
			t.Errorf("%s: refused = %v, want %v", tt.name, got, tt.want)
		}
	}
	var delays []time.Duration
	for _, s := range []int{600, 1200, 1801, 1802} { // in time, in time, too late, anew
		b.Next(at(s))
		delays = append(delays, b.Delay())
	}
	if diff := cmp.Diff(inSeconds(20, 40, 10, 20), delays); diff != "" {
		t.Error(diff)
	}
}
