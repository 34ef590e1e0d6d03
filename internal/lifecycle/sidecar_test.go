package lifecycle

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestSidecars(t *testing.T) {
	const never = corev1.RestartPolicyNever
	crashOnce := func(after time.Duration, code int32) func(int) exit {
		return func(n int) exit { return exit{after: after, code: code, never: n > 1} }
	}
	play(t, []scenario{
		{
			name:    "S01 R172 liveness failure of a sidecar",
			spec:    withInit(withPolicy(never, app()), sidecar("s", liveness(2, probeGrace(5)))),
			scripts: map[string]script{"s": {probe: onFirst(replies{Liveness: "500"}), term: stubborn}},
			until:   10 * time.Second,
			watch:   []string{"Killing", "SIG", "start "},
			want: []string{
				"0s start s #1", "0s start app #1",
				"1.5s Normal Killing Init container s failed liveness probe", "1.5s SIGTERM to s", "6.5s SIGKILL to s",
				"6.5s start s #2",
			},
			check: wantRestarts(map[string]int32{"s": 1, "app": 0}),
		},
		{
			name:    "S01 R172 startup failure of a sidecar",
			spec:    withInit(app(), sidecar("s", startup(2))),
			scripts: map[string]script{"s": {probe: onFirst(replies{Startup: "500"})}},
			until:   4 * time.Second,
			watch:   []string{"Killing", "start ", "Initialized is"},
			want: []string{
				"0s start s #1",
				"0s cond Initialized is False ContainersNotInitialized containers with incomplete status: [s]",
				"1.5s Normal Killing Init container s failed startup probe",
				"1.5s start s #2",
				"2.5s start app #1", // a period later its first probe
				"2.5s cond Initialized is True",
			},
		},
		{
			name: "S03 R174 the next one waits for started, not for ready",
			spec: withInit(app(), sidecar("s1", startup(9), readiness(1)), sidecar("s2")),
			scripts: map[string]script{
				"s1": {probe: replies{Startup: "500*2 200", Readiness: "500"}.answer},
			},
			until: 5 * time.Second,
			watch: []string{"start ", "pod is", "s1 is", "cond Initialized is", "cond Ready is"},
			want: []string{
				"0s start s1 #1",
				"0s s1 is Waiting PodInitializing",
				"0s pod is Pending",
				"0s cond Initialized is False ContainersNotInitialized containers with incomplete status: [s1 s2]",
				"0s cond Ready is False ContainersNotReady containers with unready status: [s1 s2 app]",
				"0s s1 is Running",
				"2.5s start s2 #1",
				"2.5s s1 is Running started",
				"2.5s cond Initialized is False ContainersNotInitialized containers with incomplete status: [s2]",
				"2.5s start app #1",
				"2.5s cond Initialized is True",
				"2.5s cond Ready is False ContainersNotReady containers with unready status: [s1 app]",
				"2.5s pod is Running",
				// S04 R175
				"2.5s cond Ready is False ContainersNotReady containers with unready status: [s1]",
			},
		},
		{
			name: "S03 R174 without a startup probe running is enough, postStart done",
			spec: withInit(app(), sidecar("s", postStart)),
			scripts: map[string]script{
				"s": {hook: hookTakes(PostStart, 2*time.Second, nil)},
			},
			until: 5 * time.Second,
			watch: []string{"start "},
			want:  []string{"0s start s #1", "2s start app #1"},
		},
		{
			name:    "R173 sidecars restart whatever the policy, on exit 0 too, under back-off",
			spec:    withInit(withPolicy(never, app()), sidecar("proxy")),
			scripts: map[string]script{"proxy": {life: exits(time.Second, 0)}},
			until:   40 * time.Second,
			watch:   []string{"start proxy", "proxy is", "BackOff Back"},
			want: []string{
				"0s start proxy #1", "0s proxy is Waiting PodInitializing", "0s proxy is Running started ready",
				"1s start proxy #2", "1s proxy is Terminated Completed 0", "1s proxy is Running started ready",
				"2s Warning BackOff Back-off restarting failed container proxy in pod web_default(u1)",
				"2s proxy is Waiting CrashLoopBackOff",
				"12s start proxy #3", "12s proxy is Running started ready",
				"13s Warning BackOff Back-off restarting failed container proxy in pod web_default(u1)",
				"13s proxy is Waiting CrashLoopBackOff",
				"33s start proxy #4", "33s proxy is Running started ready",
				"34s Warning BackOff Back-off restarting failed container proxy in pod web_default(u1)",
				"34s proxy is Waiting CrashLoopBackOff",
			},
		},
		{
			name:    "R151 R173 a sidecar's probe kills are backed off like others",
			spec:    withInit(app(), sidecar("s", liveness(1))),
			scripts: map[string]script{"s": {probe: killedAt(5 * time.Second)}},
			until:   time.Hour,
			check: func(t *testing.T, w *testNode) {
				if diff := cmp.Diff(inSeconds(0, 0, 10, 20, 40, 80, 160, 300, 0, 300), w.delays("s")[:10]); diff != "" {
					t.Errorf("delays (-want +got):\n%s", diff)
				}
			},
		},
		{
			name:    "R110 Initialized is never taken back",
			spec:    withInit(app(), sidecar("s")),
			scripts: map[string]script{"s": {life: exits(time.Second, 1)}},
			until:   time.Minute,
			watch:   []string{"Initialized is"},
			want: []string{
				"0s cond Initialized is False ContainersNotInitialized containers with incomplete status: [s]",
				"0s cond Initialized is True",
			},
		},
		{
			name: "R174 a sidecar that was started once holds nobody up when it crashes",
			spec: withInit(app(), sidecar("s", startup(9)), named("i")),
			scripts: map[string]script{
				"s": {life: crashOnce(2*time.Second, 1), probe: func(r probeRun) answer {
					if r.instance > 1 {
						return answer{outcome: OutcomeFailure}
					}
					return answer{}
				}},
				"i": {life: exits(3*time.Second, 0)},
			},
			until: 5 * time.Second,
			watch: []string{"start ", "exit "},
			want: []string{
				"0s start s #1", "500ms start i #1",
				"2s exit s #1 code 1", "2s start s #2",
				"3.5s exit i #1 code 0", "3.5s start app #1",
			},
		},
		{
			name: "R117 R123 the Pod ends with its regular containers; sidecars are stopped",
			spec: withInit(withGrace(4, withPolicy(never, app())), sidecar("s1"), sidecar("s2")),
			scripts: map[string]script{
				"s1":  {term: exits(time.Second, 3)},
				"s2":  {term: stubborn},
				"app": {life: exits(5*time.Second, 0)},
			},
			until: time.Hour,
			watch: []string{"exit ", "SIG", "Killing", "pod is", "start "},
			want: []string{
				"0s start s1 #1", "0s pod is Pending", "0s start s2 #1", "0s start app #1", "0s pod is Running",
				"5s exit app #1 code 0",
				"5s Normal Killing Stopping container s1",
				"5s Normal Killing Stopping container s2",
				"5s SIGTERM to s2",
				"9s SIGKILL to s2", "9s exit s2 #1 code 137",
				"9s SIGTERM to s1", "10s exit s1 #1 code 3",
				"10s pod is Succeeded", // sidecars do not count
			},
		},
		{
			name: "R117 a sidecar in back-off does not keep a finished Pod",
			spec: withInit(withPolicy(never, app()), sidecar("proxy")),
			scripts: map[string]script{
				"proxy": {life: exits(time.Second, 1)},
				"app":   {life: exits(5*time.Second, 0)},
			},
			until: time.Hour,
			watch: []string{"start ", "proxy is", "pod is"},
			want: []string{
				"0s start proxy #1", "0s proxy is Waiting PodInitializing", "0s pod is Pending",
				"0s start app #1", "0s proxy is Running started ready", "0s pod is Running",
				"1s start proxy #2", "1s proxy is Terminated Error 1", "1s proxy is Running started ready",
				"2s proxy is Waiting CrashLoopBackOff",
				"5s proxy is Terminated Error 1",
				"5s pod is Succeeded",
			},
		},
	})
}

func TestInitContainers(t *testing.T) {
	play(t, []scenario{
		{
			name: "one after the other",
			spec: withInit(app(), named("i1"), named("i2")),
			scripts: map[string]script{
				"i1": {life: exits(time.Second, 0)},
				"i2": {life: exits(2*time.Second, 0)},
			},
			until: 5 * time.Second,
			watch: []string{"start ", "exit ", "pod is", "Initialized is", "i1 is"},
			want: []string{
				"0s start i1 #1",
				"0s i1 is Waiting PodInitializing",
				"0s pod is Pending",
				"0s cond Initialized is False ContainersNotInitialized containers with incomplete status: [i1 i2]",
				"0s i1 is Running",
				"1s exit i1 #1 code 0",
				"1s start i2 #1",
				"1s i1 is Terminated Completed 0 ready",
				"1s cond Initialized is False ContainersNotInitialized containers with incomplete status: [i2]",
				"3s exit i2 #1 code 0",
				"3s start app #1",
				"3s cond Initialized is True",
				"3s pod is Running",
			},
		},
		{
			name: "R2 R189 a plain init container has no probes",
			spec: withInit(app(), named("i", liveness(1), startup(1), readiness(1))),
			scripts: map[string]script{
				"i": {life: exits(5*time.Second, 0), probe: replies{Liveness: "500", Startup: "500"}.answer},
			},
			until:  10 * time.Second,
			counts: map[string]int{"probe": 0, "Killing": 0, "start i": 1, "start app": 1},
		},
		{
			name: "under Always a failed one is tried again under back-off, a done one never",
			spec: withInit(app(), named("i")),
			scripts: map[string]script{
				"i": {life: func(n int) exit { return exit{after: time.Second, code: []int32{1, 1, 0}[n-1]} }},
			},
			until: time.Minute,
			watch: []string{"start ", "i is", "pod is"},
			want: []string{
				"0s start i #1", "0s i is Waiting PodInitializing", "0s pod is Pending", "0s i is Running",
				"1s start i #2", "1s i is Terminated Error 1", "1s i is Running",
				"2s i is Waiting CrashLoopBackOff",
				"12s start i #3", "12s i is Running",
				"13s start app #1", "13s i is Terminated Completed 0 ready",
				"13s pod is Running",
			},
		},
		{
			name:    "R117 under Never a failed one ends the Pod",
			spec:    withInit(withPolicy(corev1.RestartPolicyNever, app()), named("i1"), named("i2")),
			scripts: map[string]script{"i1": {life: exits(time.Second, 1)}},
			until:   time.Hour,
			watch:   []string{"start ", "pod is", "Initialized is"},
			want: []string{
				"0s start i1 #1", "0s pod is Pending",
				"0s cond Initialized is False ContainersNotInitialized containers with incomplete status: [i1 i2]",
				"1s pod is Failed",
			},
		},
		{
			name: "R117 R123 under Never a failed one ends its sidecars too",
			spec: withInit(withPolicy(corev1.RestartPolicyNever, app()), sidecar("s"), named("i")),
			scripts: map[string]script{
				"s": {term: exits(2*time.Second, 0)},
				"i": {life: exits(time.Second, 1)},
			},
			until: time.Hour,
			watch: []string{"start ", "pod is", "Killing", "SIG", "exit "},
			want: []string{
				"0s start s #1", "0s pod is Pending", "0s start i #1",
				"1s exit i #1 code 1",
				"1s Normal Killing Stopping container s", "1s SIGTERM to s", "3s exit s #1 code 0",
				"3s pod is Failed",
			},
		},
		{
			name: "R117 under Never a failed one ends the Pod while a sidecar is in back-off",
			spec: withInit(withPolicy(corev1.RestartPolicyNever, app()), sidecar("s"), named("i")),
			scripts: map[string]script{
				"s": {life: exits(time.Second, 1)},
				"i": {life: exits(5*time.Second, 1)},
			},
			until: time.Hour,
			watch: []string{"start ", "pod is"},
			want:  []string{"0s start s #1", "0s pod is Pending", "0s start i #1", "1s start s #2", "5s pod is Failed"},
		},
		{
			name: "R174 a sidecar's readiness is probed while later init containers run",
			spec: withInit(app(), sidecar("s", readiness(1)), named("i")),
			scripts: map[string]script{
				"i": {life: exits(2*time.Second, 0)},
			},
			until: 1 * time.Second,
			watch: []string{"probe of", "s is Running"},
			want:  []string{"0s s is Running started", "500ms Readiness probe of s #1", "500ms s is Running started ready"},
		},
	})
}
