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
)

// length is how long a scenario takes at least.
type length struct {
	atLeast  time.Duration
	requests int
	// slack is how long the answer of a probe may take to reach the routes.
	slack time.Duration
}

// scenario is something that happens to a web, again and again while clients ask. No request may be
// lost by it.
type scenario struct {
	// prepare changes the web, if not nil.
	prepare func(t *testing.T, w *web)
	// load is how clients ask; by default 600 times a second.
	load generator.Options
	// happens does it once.
	happens func(r *rig)
	// allowed says which requests may fail; by default none.
	allowed func(r *rig, books []book, q generator.Request) bool
}

var scenarios = map[string]scenario{
	"rolling update": {happens: roll},
	"liveness restart": {happens: func(r *rig) {
		restarts := func(pod *corev1.Pod) int32 { return pod.Status.ContainerStatuses[0].RestartCount }
		pod := r.next()
		r.answer(pod, "/live=500")
		r.waitPod(pod.Name, "restarted", func(p *corev1.Pod) bool { return harness.Ready(p) && restarts(p) > restarts(pod) })
	}},
	"kill": {
		prepare: func(_ *testing.T, w *web) { w.Answers = "/work=slow:300ms" },
		load:    generator.Options{Posts: 0.3},
		happens: func(r *rig) {
			pod := r.next()
			pid := r.signal(pod, syscall.SIGKILL)
			r.waitPod(pod.Name, "restarted", func(p *corev1.Pod) bool { return harness.Ready(p) && harness.PIDOf(r.t, p, "app") != pid })
		},
		allowed: (*rig).mayHaveBeenSentToTheKilled,
	},
	"scale": {happens: func(r *rig) {
		for _, n := range []int{1, 3} {
			r.save(func(w *web) { w.Replicas = n })
			r.waitReady(n)
		}
	}},
	"reload": {happens: func(r *rig) {
		before := r.waitReady(3)
		r.unchanged(before, "deployment/web unchanged")
		r.turn++
		r.web.Label = fmt.Sprint(r.turn)
		r.unchanged(before, "deployment/web configured")
		r.web.Setting = fmt.Sprint(r.turn)
		r.unchanged(before, "configmap/web configured")
	}},
	"readiness": {happens: func(r *rig) {
		pod := r.next()
		r.answer(pod, "/ready=503")
		r.waitPod(pod.Name, "not ready", func(p *corev1.Pod) bool { return !harness.Ready(p) })
		r.answer(pod, "/ready=200")
		r.waitPod(pod.Name, "ready again", harness.Ready)
	}},
	"hang": {
		prepare: func(_ *testing.T, w *web) { w.Grace = 2 },
		happens: func(r *rig) {
			pod := r.next()
			pid := r.signal(pod, syscall.SIGSTOP)
			r.waitPod(pod.Name, "restarted", func(p *corev1.Pod) bool { return harness.Ready(p) && harness.PIDOf(r.t, p, "app") != pid })
		},
		load:    generator.Options{Posts: 0.3, Rate: 600},
		allowed: (*rig).mayHaveBeenSentToTheKilled,
	},
	"stop first": {
		prepare: func(t *testing.T, w *web) {
			w.Fixed = harness.FreePort(t)
			w.Replicas, w.Pod, w.Service = 1, "{probity.run/ports: fixed}", "{probity.run/hold: 30s}"
		},
		happens: roll,
	},
	"drain": {
		prepare: func(_ *testing.T, w *web) {
			w.Term, w.Pod, w.Answers = "exit:0", "{probity.run/drain: 5s}", "/work=slow:300ms"
		},
		load:    generator.Options{Posts: 0.3, Clients: 128},
		happens: roll,
	},
}

func roll(r *rig) {
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
	report := r.under(load, size(), func(until time.Time) {
		for times == 0 || time.Now().Before(until) {
			s.happens(r)
			times++
		}
	})
	books := r.judge(size().slack)
	r.expect(books, report.Failures, func(q generator.Request) bool { return s.allowed != nil && s.allowed(r, books, q) })
	if report.Requests < size().requests {
		t.Errorf("%d requests prove nothing", report.Requests)
	}
	t.Logf("%d times; %s", times, summary(books))
}
