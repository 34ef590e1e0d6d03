package node

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/probe"
)

func TestLivenessFailureRestarts(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/live", failing, failing, healthy)
		n.create(examplePodOf(withLiveness("/live")))
		n.at(10 * time.Second)
		n.checkOrder([]string{"start server", "signal server SIGTERM", "exit server 143", "start server"}, "start", "signal", "kill", "exit")
		want := []string{"Normal Killing Container app failed liveness probe, will be restarted"}
		if diff := cmp.Diff(want, n.events("Killing")); diff != "" {
			t.Errorf("Events (-want +got):\n%s", diff)
		}
		if got := n.pod().Status.ContainerStatuses[0].RestartCount; got != 1 {
			t.Errorf("restartCount = %d, want 1", got)
		}
	})
}

// Attempts are made on the grid, so that many Pods share one wake-up.
func TestAttemptsFollowThePeriod(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		time.Sleep(20 * time.Millisecond) // off the grid
		n.create(examplePodOf(withLiveness("/live")))
		n.at(10 * time.Second)
		times := n.times("get")
		if len(times) < 9 {
			t.Fatalf("%d attempts in 10 s: %v", len(times), times)
		}
		for i, at := range times {
			if at%gridStep != 0 {
				t.Errorf("an attempt at %v is not on the grid", at)
			}
			if i > 0 && at-times[i-1] != time.Second {
				t.Errorf("attempts at %v and %v, want them a period of 1s apart", times[i-1], at)
			}
		}
		if n.engine.prepared != 1 {
			t.Errorf("the probe was formatted %d times, want once", n.engine.prepared)
		}
	})
}

func TestProbeReport(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		slow := healthy
		slow.after = 120 * time.Millisecond
		n.engine.answer("/ready", healthy, failing, slow)
		n.create(examplePodOf(withReadiness("/ready")))
		for _, want := range []ProbeRecord{
			{Outcome: "success", Output: "ok", Result: lifecycle.ResultSuccess, Run: 1, Threshold: 1},
			{Outcome: "failure", Output: failing.result.Output, Result: lifecycle.ResultSuccess, Run: 1, Threshold: 3},
			{Outcome: "success", Output: "ok", Latency: slow.after, Result: lifecycle.ResultSuccess, Run: 1, Threshold: 1},
		} {
			n.until("a report of the outcome "+want.Outcome, func() bool { return n.report().Outcome == want.Outcome })
			want.Container, want.Type = "app", lifecycle.Readiness
			got := n.report()
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(ProbeRecord{}, "Time")); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			if times := n.times("get"); !got.Time.Time.Equal(n.begin.Add(times[len(times)-1])) {
				t.Errorf("the report is of %v, want the beginning of the last attempt: %v", got.Time, times)
			}
		}
	})
}

// Two probes of one Pod answer all the time; watchers of the report are woken once a second.
func TestReportsPause(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf(withReadiness("/ready"), withLiveness("/live"), func(p *corev1.Pod) {
			p.Spec.Containers[0].LivenessProbe.InitialDelaySeconds = 1
		}))
		n.at(3 * time.Second)
		_, version := store.List[*ProbeReport](n.store, store.Selector{})
		watch, err := n.store.Watch(store.WatchOptions{Kinds: []store.Object{&ProbeReport{}}, From: version})
		if err != nil {
			t.Fatal(err)
		}
		writes := 0
		go func() { // until the end of the test
			for {
				if _, err := watch.Next(t.Context()); err != nil {
					return
				}
				writes++
			}
		}()
		n.at(13 * time.Second)
		if writes < 9 || writes > 11 {
			t.Errorf("the report was written %d times in 10 s", writes)
		}
	})
}

// What was put within the pause after a write is written when the pause is over, without an event.
func TestReportIsWrittenAfterThePause(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		pod := n.create(examplePodOf())
		r := n.node.runners[pod.UID]
		r.loop.post(func() {
			r.report.put(ProbeRecord{Container: "app", Run: 1}, time.Now())
			r.report.put(ProbeRecord{Container: "app", Run: 2}, time.Now())
		})
		n.at(900 * time.Millisecond)
		if got := n.report().Run; got != 1 {
			t.Errorf("run = %d in the pause, want 1", got)
		}
		n.at(1100 * time.Millisecond)
		if got := n.report().Run; got != 2 {
			t.Errorf("run = %d after the pause, want 2", got)
		}
	})
}

// A success that changes nothing writes nothing but the report.
func TestRoutineSuccessesWriteNoStatus(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf(withReadiness("/ready"), withLiveness("/live")))
		n.at(2 * time.Second)
		before := n.pod().ResourceVersion
		n.at(time.Minute)
		if after := n.pod().ResourceVersion; after != before {
			t.Errorf("the Pod was written: resourceVersion %s, then %s", before, after)
		}
		report, err := store.Get[*ProbeReport](n.store, "default", "web")
		if err != nil || len(report.Probes) != 2 {
			t.Fatalf("report = %+v, %v", report, err)
		}
		for _, p := range report.Probes {
			if since := time.Since(p.Time.Time); since > 2*time.Second {
				t.Errorf("the report of %s is %v old", p.Type, since)
			}
		}
	})
}

func TestExecProbe(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("check", behaviour{life: time.Millisecond}, behaviour{life: time.Millisecond, code: 3, output: "no database"})
		n.create(examplePodOf(func(p *corev1.Pod) {
			probe := exampleProbe("", 1)
			probe.HTTPGet, probe.Exec = nil, &corev1.ExecAction{Command: []string{"check", "$(PORT)"}}
			p.Spec.Containers[0].ReadinessProbe = probe
			p.Spec.Containers[0].WorkingDir = "/srv"
		}))
		n.untilReady(true)
		n.untilReady(false)
		spec := n.starter.runs("check")[0].spec
		if diff := cmp.Diff([]string{"check", "41001"}, spec.Argv); diff != "" {
			t.Error(diff)
		}
		if want := string(n.pod().UID) + "/probe"; spec.Container != want || spec.Dir != "/srv" || spec.OOMScore != oomBestEffort {
			t.Errorf("owner %q, dir %q, score %d", spec.Container, spec.Dir, spec.OOMScore)
		}
		if got, want := n.events("Unhealthy")[0], "Warning Unhealthy Readiness probe failed: no database"; got != want {
			t.Errorf("Event = %q, want %q", got, want)
		}
	})
}

func TestProbesThatCannotBeEvaluated(t *testing.T) { // R47
	for name, test := range map[string]struct {
		change func(*corev1.Probe)
		want   string
	}{
		"an unknown port name": {func(p *corev1.Probe) { p.HTTPGet.Port = intstrOf("admin") },
			`Warning Unhealthy Readiness probe errored and resulted in unknown state: strconv.Atoi: parsing "admin": invalid syntax`},
		"no handler": {func(p *corev1.Probe) { p.HTTPGet = nil },
			"Warning Unhealthy Readiness probe errored and resulted in unknown state: the probe has no handler"},
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.create(examplePodOf(withReadiness("/ready"), func(p *corev1.Pod) { test.change(p.Spec.Containers[0].ReadinessProbe) }))
				n.until("an Event", func() bool { return len(n.events("Unhealthy")) > 0 })
				n.check(nil, "get")
				if got := n.events("Unhealthy")[0]; got != test.want {
					t.Errorf("Event = %q, want %q", got, test.want)
				}
			})
		})
	}
}

// The kernel says that the process is dead before its exit is reported: its refusals do not count
// (R34).
func TestFailuresOfADeadProcessAreVoid(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.engine.answer("/live", healthy, failing)
		n.create(examplePodOf(withLiveness("/live")))
		n.until("a success", func() bool { return n.report().Outcome == "success" })
		n.sockets.die(n.containerPID())
		n.at(20 * time.Second)
		if got := n.events("Unhealthy", "Killing"); len(got) > 0 {
			t.Errorf("Events = %v, want none", got)
		}
	})
}

func TestVoid(t *testing.T) {
	ended := &fakeProcess{pid: 5, log: &timeline{}, done: make(chan struct{})}
	ended.end(process.Exit{})
	running := &fakeProcess{pid: 6, done: make(chan struct{})}
	dead := &fakeProcess{pid: 7, done: make(chan struct{})}
	s := &attempts{dead: func(pid int) bool { return pid == dead.pid }}
	for name, test := range map[string]struct {
		process *fakeProcess
		result  probe.Result
		want    bool
	}{
		"a success":                     {running, healthy.result, false},
		"a failure":                     {running, failing.result, false},
		"an error":                      {running, probe.Result{Err: errors.New("broken")}, false},
		"cut off":                       {running, probe.Result{Err: fmt.Errorf("wrapped: %w", probe.ErrStopped)}, true},
		"a success of an ended process": {ended, healthy.result, true},
		"a failure of an ended process": {ended, failing.result, true},
		"a success of a dead process":   {dead, healthy.result, false},
		"a failure of a dead process":   {dead, failing.result, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.void(&instance{process: test.process}, test.result); got != test.want {
				t.Errorf("void = %v, want %v", got, test.want)
			}
		})
	}
}

func TestAttemptsOfAnEndedInstanceAreCancelled(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		slow := failing
		slow.after = 900 * time.Millisecond
		n.engine.answer("/ready", slow)
		n.create(examplePodOf(withReadiness("/ready")))
		n.until("an attempt", func() bool { return n.engine.inFlight() == 1 })
		n.starter.runs("server")[0].end(process.Exit{Code: 1})
		n.engine.answer("/ready", healthy)
		n.until("a restart", func() bool { return len(n.starter.runs("server")) == 2 })
		if flying := n.engine.inFlight(); flying != 0 {
			t.Errorf("%d attempts in flight, want none", flying)
		}
		if got := n.events("Unhealthy"); len(got) > 0 {
			t.Errorf("Events = %v, want none", got)
		}
	})
}

// A time-out says nothing about the service if Probity itself was stalled meanwhile.
func TestTimeoutsInAStallDoNotCount(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		late := answer{result: probe.Result{Outcome: probe.Failure, Output: "context deadline exceeded"}, after: time.Second, meanwhile: func() {
			n.node.stalls.mu.Lock()
			defer n.node.stalls.mu.Unlock()
			n.node.stalls.total += 500 * time.Millisecond
		}}
		n.engine.answer("/live", healthy, late, late, late, late, healthy)
		n.create(examplePodOf(withLiveness("/live")))
		n.at(20 * time.Second)
		n.check([]string{"0s start server"}, "start", "signal")
		got := n.events("Unhealthy")
		if len(got) == 0 {
			t.Error("no Event tells of the stall")
		}
		for _, line := range got {
			if want := "Warning Unhealthy Liveness probe errored and resulted in unknown state: held up for 500ms in an attempt that may take 1s: " +
				"Probity was suspended, or the machine is overloaded"; line != want {
				t.Errorf("Event = %q, want %q", line, want)
			}
		}
	})
}

func TestOutcomeOf(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		result probe.Result
		want   lifecycle.ProbeOutcome
		output string
	}{
		"success":       {probe.Result{Outcome: probe.Success, Output: "ok"}, lifecycle.OutcomeSuccess, "ok"},
		"warning":       {probe.Result{Outcome: probe.Warning, Output: "moved"}, lifecycle.OutcomeWarning, "moved"},
		"failure":       {probe.Result{Outcome: probe.Failure, Output: "500"}, lifecycle.OutcomeFailure, "500"},
		"error":         {probe.Result{Err: broken}, lifecycle.OutcomeErrorUnknown, "broken"},
		"error failure": {probe.Result{Outcome: probe.Failure, Err: broken}, lifecycle.OutcomeErrorFailure, "broken"},
		"nothing":       {probe.Result{}, lifecycle.OutcomeErrorUnknown, "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, output := outcomeOf(test.result); got != test.want || output != test.output {
				t.Errorf("outcomeOf = %v, %q, want %v, %q", got, output, test.want, test.output)
			}
		})
	}
}

func TestNewRecord(t *testing.T) {
	began := time.Now()
	state := lifecycle.ProbeState{Container: "app", Type: lifecycle.Readiness, Result: lifecycle.ResultSuccess, Run: 2, Threshold: 3, Hold: true}
	got := newRecord(probe.Result{Err: errors.New("broken")}, began, time.Second, state)
	want := ProbeRecord{Container: "app", Type: lifecycle.Readiness, Outcome: "error", Output: "broken", Latency: time.Second,
		Result: lifecycle.ResultSuccess, Run: 2, Threshold: 3, Hold: true}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(ProbeRecord{}, "Time")); diff != "" {
		t.Error(diff)
	}
	if !got.Time.Time.Equal(began) {
		t.Errorf("time = %v, want %v", got.Time, began)
	}
}

// A success that changes nothing wakes its runner with the next tick of the node, a failure at
// once.
func TestRoutineSuccessesWaitForTheNextTick(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		quick, quickFailure := healthy, failing
		quick.after, quickFailure.after = 10*time.Millisecond, 10*time.Millisecond
		n.engine.answer("/live", healthy, quick, quickFailure, healthy)
		n.create(examplePodOf(withLiveness("/live")))
		attempt := func(number int) time.Duration {
			t.Helper()
			n.until("the next attempt", func() bool { return len(n.times("get")) == number })
			return n.times("get")[number-1]
		}
		attempt(1)
		at := attempt(2)
		n.at(at + 40*time.Millisecond)
		if got := n.report(); !got.Time.Time.Before(n.begin.Add(at)) {
			t.Error("the runner was woken for a success that changes nothing")
		}
		n.at(at + 100*time.Millisecond)
		if got := n.report(); got.Latency != quick.after {
			t.Errorf("the success is not reported with the next tick: %+v", got)
		}
		at = attempt(3)
		n.at(at + 20*time.Millisecond)
		if got := n.events("Unhealthy"); len(got) != 1 {
			t.Errorf("Events = %v, want the failure at once", got)
		}
	})
}
