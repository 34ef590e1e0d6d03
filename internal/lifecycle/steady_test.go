package lifecycle

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestSkipIsExact lets hours pass run by run and at once: the states of the probes are the same,
// and so is what happens after it.
func TestSkipIsExact(t *testing.T) {
	play := func(skip bool) *testNode {
		spec := app(startup(30, period(2)), readiness(3, period(7), timeout(2)), liveness(3, period(10), delayed(13)))
		w := newTestNode(t, spec, Options{})
		failing := func(run probeRun) answer {
			if run.age > 3*time.Hour && run.instance == 1 {
				return answer{outcome: OutcomeFailure, output: "no"}
			}
			return answer{after: 20 * time.Millisecond}
		}
		w.scripts["app"].probe = failing
		w.run(30 * time.Second)
		if !w.pod.Steady() {
			t.Fatal("the Pod is not steady")
		}
		if skip {
			until := w.start.Add(2 * time.Hour)
			runs := map[ProbeType]int{}
			w.pod.Skip(until, func(_ string, typ ProbeType, first time.Time, n int) {
				runs[typ] += n
				if first.Before(w.now) {
					t.Errorf("%s ran at %v, before now", typ, first.Sub(w.start))
				}
			})
			if want := map[ProbeType]int{Readiness: 1024, Liveness: 717}; !cmp.Equal(want, runs) {
				t.Errorf("skipped %v, want %v", runs, want)
			}
			w.now = until
		} else {
			w.run(2 * time.Hour)
		}
		return w
	}
	every, skipped := play(false), play(true)
	// of a probe on hold it moves when somebody looks; the log below shows the others
	held := cmpopts.IgnoreFields(ProbeState{}, "Next")
	if diff := cmp.Diff(every.pod.Probes(), skipped.pod.Probes(), held); diff != "" {
		t.Errorf("probes (-every run +skipped):\n%s", diff)
	}
	at := len(every.seen("")) - len(skipped.seen(""))
	if at < 1000 {
		t.Errorf("%d lines less, so nothing was skipped", at)
	}
	every.run(4 * time.Hour)
	skipped.run(4 * time.Hour)
	watch := []string{"Warning", "Normal", "SIG", "is "}
	if diff := cmp.Diff(every.seen(watch...), skipped.seen(watch...)); diff != "" {
		t.Errorf("log (-every run +skipped):\n%s", diff)
	}
}

// TestSteady: whatever is going on, nothing may be skipped.
func TestSteady(t *testing.T) {
	spec := app(readiness(3), liveness(3), preStop)
	steady := func(until time.Duration, change func(*script), events map[time.Duration]Event) bool {
		w := newTestNode(t, spec, Options{})
		if change != nil {
			change(w.scripts["app"])
		}
		for at, e := range events {
			w.at(at, e)
		}
		w.run(until)
		return w.pod.Steady()
	}
	slow := func(s *script) { s.probe = func(probeRun) answer { return answer{after: 300 * time.Millisecond} } }
	failing := func(word string, typ ProbeType) func(*script) {
		return func(s *script) { s.probe = replies{typ: word}.answer }
	}
	for name, c := range map[string]struct {
		got, want bool
	}{
		"routine":                           {steady(10*time.Second, nil, nil), true},
		"not yet probed":                    {steady(300*time.Millisecond, nil, nil), false},
		"in flight":                         {steady(10600*time.Millisecond, slow, nil), false},
		"between runs":                      {steady(10900*time.Millisecond, slow, nil), true},
		"not ready":                         {steady(10*time.Second, failing("500", Readiness), nil), false},
		"one failure below the threshold":   {steady(10*time.Second, failing("200*9 500 200", Liveness), nil), false},
		"back-off":                          {steady(10*time.Second, func(s *script) { s.life = exits(2*time.Second, 1) }, nil), false},
		"being stopped":                     {steady(10*time.Second, func(s *script) { s.term = stubborn }, map[time.Duration]Event{9 * time.Second: Deleted{30 * time.Second}}), false},
		"the kubelet has just restarted":    {steady(10*time.Second, nil, map[time.Duration]Event{9900 * time.Millisecond: KubeletRestarted{func(string, ProbeType, time.Duration) time.Duration { return 200 * time.Millisecond }}}), false},
		"the kubelet restarted a while ago": {steady(30*time.Second, nil, map[time.Duration]Event{9900 * time.Millisecond: KubeletRestarted{}}), true},
	} {
		if c.got != c.want {
			t.Errorf("%s: steady is %t", name, c.got)
		}
	}
}

func TestKubeletRestarted(t *testing.T) {
	jitter := func(string, ProbeType, time.Duration) time.Duration { return 300 * time.Millisecond }
	restart := func(at time.Duration) map[time.Duration]Event {
		return map[time.Duration]Event{at: KubeletRestarted{Jitter: jitter}}
	}
	play(t, []scenario{
		{
			name: "R167 counters are lost", spec: app(liveness(3)), scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "200*20 500*3 200"})}},
			outside: restart(22 * time.Second), until: 40 * time.Second, watch: []string{"Killing"},
		},
		{
			name: "R167 and without the restart they are not", spec: app(liveness(3)), scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "200*20 500*3 200"})}},
			until: 40 * time.Second, watch: []string{"Killing"}, want: []string{"22.5s" + killL},
		},
		{
			name: "R6 the ticks get another phase", spec: app(liveness(3, period(5))), outside: restart(12 * time.Second), until: 20 * time.Second, watch: []string{"Liveness probe of"},
			want: []string{"500ms Liveness probe of app #1", "5.5s Liveness probe of app #1", "10.5s Liveness probe of app #1", "12.3s Liveness probe of app #1", "17.3s Liveness probe of app #1"},
		},
		{
			name: "R169 an old instance stays started and ready", spec: app(startup(3), readiness(3)), outside: restart(15 * time.Second), until: 20 * time.Second, watch: []string{"app is", "Startup probe of"},
			want: []string{"0s app is Waiting ContainerCreating", "0s app is Running", "500ms Startup probe of app #1", "500ms app is Running started", "500ms app is Running started ready"},
		},
		{
			name: "R168 a young one is probed anew", spec: app(startup(3), readiness(3)), outside: restart(5 * time.Second), until: 10 * time.Second, watch: []string{"app is", "Startup probe of"},
			want: []string{
				"0s app is Waiting ContainerCreating", "0s app is Running", "500ms Startup probe of app #1", "500ms app is Running started", "500ms app is Running started ready",
				"5s app is Running", "5.3s Startup probe of app #1", "5.3s app is Running started", "5.3s app is Running started ready",
			},
		},
		{
			name: "R167 the back-off is lost", spec: app(), scripts: map[string]script{"app": {life: exits(time.Second, 1)}}, outside: restart(5 * time.Second),
			until: 20 * time.Second, watch: []string{"start app"}, want: []string{"0s start app #1", "1s start app #2", "5s start app #3", "16s start app #4"},
		},
		{
			name: "R170 a kill in progress goes on", spec: app(liveness(1)), scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "200*3 500"}), term: exits(4*time.Second, 0)}},
			outside: restart(5 * time.Second), until: 9 * time.Second, watch: []string{"Killing", "exit", "start app"},
			want: []string{"0s start app #1", "3.5s" + killL, "7.5s exit app #1 code 0", "7.5s start app #2"},
		},
		{
			name: "an attempt in flight counts for nothing", spec: app(liveness(1, timeout(3), period(5))), scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "200 500@2s 200"})}},
			outside: restart(6 * time.Second), until: 20 * time.Second, watch: []string{"Killing", "cancelled"}, want: []string{"6s Liveness cancelled on app #1"},
		},
	})
}
