package traffic

import (
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/load/generator"
	"github.com/probity-run/probity/test/ports"
)

// runLength is how long a scenario runs at least.
type runLength struct {
	atLeast  time.Duration
	requests int
	// slack is how long the proxy may take to act on the answer of a probe.
	slack time.Duration
	// linger is how long a replica goes on answering after SIGTERM: a request that was sent before
	// may wait for a processor, and a server that stops drops what it has not read.
	linger time.Duration
	// timeout is how many seconds a replica may take to answer a liveness probe. One that just
	// waits for a processor is not to be restarted.
	timeout int
	// work is how long an answer takes that is to be on its way when the replica is told to end,
	// some time after its last request.
	work time.Duration
}

// scenario is something that is done to a [web] again and again while clients send requests. No
// request may be lost by it.
type scenario struct {
	// prepare changes the web, if not nil.
	prepare func(t *testing.T, w *web)
	// load is what clients send; by default 600 requests a second.
	load generator.Options
	// do does it once.
	do func(r *rig)
	// allowed says which requests may fail; by default none.
	allowed func(r *rig, logs []processLog, q generator.Request) bool
}

var scenarios = map[string]scenario{
	"rolling update": {do: rollOut},
	"liveness restart": {do: func(r *rig) {
		restarts := func(pod *corev1.Pod) int32 { return pod.Status.ContainerStatuses[0].RestartCount }
		pod := r.next()
		r.answer(pod, "/live=500")
		r.waitPod(pod.Name, "restarted", func(p *corev1.Pod) bool { return harness.Ready(p) && restarts(p) > restarts(pod) })
	}},
	"kill": {
		prepare: func(_ *testing.T, w *web) { w.Answers = "/work=slow:300ms" },
		load:    generator.Options{Posts: 0.3},
		do: func(r *rig) {
			pod := r.next()
			pid := r.signal(pod, syscall.SIGKILL)
			r.waitPod(pod.Name, "restarted", func(p *corev1.Pod) bool { return harness.Ready(p) && harness.PIDOf(r.t, p, "app") != pid })
		},
		allowed: (*rig).maybeLostWithProcess,
	},
	"scale": {do: func(r *rig) {
		for _, n := range []int{1, 3} {
			r.save(func(w *web) { w.Replicas = n })
			r.waitReady(n)
		}
	}},
	"reload": {do: func(r *rig) {
		before := r.waitReady(3)
		r.unchanged(before, "deployment/web unchanged")
		r.round++
		r.web.Label = fmt.Sprint(r.round)
		r.unchanged(before, "deployment/web configured")
		r.web.Setting = fmt.Sprint(r.round)
		r.unchanged(before, "configmap/web configured")
	}},
	"readiness": {do: func(r *rig) {
		pod := r.next()
		r.answer(pod, "/ready=503")
		r.waitPod(pod.Name, "not ready", func(p *corev1.Pod) bool { return !harness.Ready(p) })
		r.answer(pod, "/ready=200")
		r.waitPod(pod.Name, "ready again", harness.Ready)
	}},
	"hang": {
		// The time-out is short: one in which the machine held Probity up, too, for a fifth of the
		// time counts for nothing, and on a busy machine each long one would be such.
		prepare: func(_ *testing.T, w *web) { w.Grace, w.Timeout = 2, 1 },
		do: func(r *rig) {
			pod := r.next()
			pid := r.signal(pod, syscall.SIGSTOP)
			r.waitPod(pod.Name, "restarted", func(p *corev1.Pod) bool { return harness.Ready(p) && harness.PIDOf(r.t, p, "app") != pid })
		},
		load:    generator.Options{Posts: 0.3, Rate: 600},
		allowed: (*rig).maybeLostWithProcess,
	},
	"stop first": {
		prepare: func(t *testing.T, w *web) {
			w.Fixed = ports.Free(t)
			w.Replicas, w.Pod, w.Service = 1, "{probity.run/ports: fixed}", "{probity.run/hold: 30s}"
		},
		do: rollOut,
	},
	"drain": {
		prepare: func(_ *testing.T, w *web) {
			w.Term, w.Pod, w.Answers = "exit:0", "{probity.run/drain: 5s}", "/work=slow:300ms"
		},
		load: generator.Options{Posts: 0.3, Clients: 128},
		do:   rollOut,
	},
}

func rollOut(r *rig) {
	before := r.waitReady(r.web.Replicas)
	r.save(func(w *web) { w.Version += "1" })
	r.waitRolled(before)
}

func TestNothingIsLost(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(scenarios)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scenarios[name].play(t, false)
		})
		t.Run(name+" new", func(t *testing.T) {
			t.Parallel()
			scenarios[name].play(t, true)
		})
	}
}

func (s scenario) play(t *testing.T, newConnections bool) {
	w := newWeb(t)
	if s.prepare != nil {
		s.prepare(t, &w)
	}
	load := s.load
	if load.Posts == 0 {
		load = generator.Options{Posts: 0.3, Rate: 600}
	}
	load.NewConnections = newConnections
	r := begin(t, w)
	times := 0
	report := r.underLoad(load, size(), func(until time.Time) {
		for times == 0 || time.Now().Before(until) {
			s.do(r)
			times++
		}
	})
	logs := r.checkRouting(size().slack)
	r.checkFailures(logs, report.Failures, func(q generator.Request) bool { return s.allowed != nil && s.allowed(r, logs, q) })
	if report.Requests < size().requests {
		t.Errorf("%d requests prove nothing", report.Requests)
	}
	t.Logf("%d times; %s", times, summary(logs))
}
