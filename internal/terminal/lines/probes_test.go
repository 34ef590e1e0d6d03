package lines

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
)

// recorded is a Pod whose attempts are recorded.
type recorded struct {
	past *history.Pod
	log  *ProbeLog
	at   time.Time
}

func newRecorded(pod *corev1.Pod) *recorded {
	var recorder history.Recorder
	r := &recorded{recorder.Add(pod.UID), NewProbeLog(recorder.Reader()), time.Date(2026, 1, 1, 12, 4, 5, 123e6, time.Local)}
	r.log.Pod(watch.Added, pod)
	return r
}

func (r *recorded) attempt(t lifecycle.ProbeType, a history.Attempt, d history.Detail) {
	probe := r.past.Probe(history.Key{Container: "app", Type: string(t)}, history.Probing{Asks: "exec x", SuccessThreshold: 1, FailureThreshold: 3})
	a.Time = r.at
	r.at = r.at.Add(time.Second)
	r.past.Attempt(probe, a, d)
}

// TestProbeLog: each attempt on a line, as the specification shows them.
func TestProbeLog(t *testing.T) {
	get := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/livez", Port: intstr.FromString("http")}}
	tcp := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(5432)}}
	grpc := corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9000}}
	exec := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"check"}}}
	well, failing := history.Attempt{Took: 800 * time.Microsecond, Result: history.Passing}, history.Attempt{Took: 100 * time.Microsecond, Outcome: history.Failed, Failing: true}
	with := func(a history.Attempt, change func(*history.Attempt)) history.Attempt { change(&a); return a }
	for name, test := range map[string]struct {
		handler corev1.ProbeHandler
		first   *history.Attempt // before the one that is looked at
		attempt history.Attempt
		detail  history.Detail
		want    string
	}{
		"HTTP":          {get, nil, well, history.Detail{Status: 200}, "GET /livez 200 0.8ms"},
		"HTTP, moved":   {get, nil, with(well, func(a *history.Attempt) { a.Outcome, a.Message = history.Warning, "Probe terminated redirects" }), history.Detail{Status: 302}, "GET /livez 302 0.8ms warning"},
		"HTTP, slow":    {get, &well, with(failing, func(a *history.Attempt) { a.Outcome, a.Message, a.Run = history.TimedOut, slow, 2 }), history.Detail{TimedOut: true}, "GET /livez timeout 1s 2/3"},
		"HTTP, failing": {get, &well, with(failing, func(a *history.Attempt) { a.Message, a.Run = "HTTP probe failed with statuscode: 503", 1 }), history.Detail{Status: 503}, "GET /livez 503 0.1ms 1/3"},
		"refused":       {tcp, nil, with(failing, func(a *history.Attempt) { a.Message, a.Run = "dial tcp 127.0.0.1:5432: connect: connection refused", 1 }), history.Detail{}, "tcp :5432 refused 0.1ms not-yet"},
		"tcp":           {tcp, nil, well, history.Detail{}, "tcp :5432 ok 0.8ms"},
		"gRPC":          {grpc, nil, well, history.Detail{}, "grpc :9000 SERVING 0.8ms"},
		"gRPC, failing": {grpc, &well, with(failing, func(a *history.Attempt) { a.Message, a.Run = `service unhealthy (responded with "NOT_SERVING")`, 1 }), history.Detail{}, "grpc :9000 NOT_SERVING 0.1ms 1/3"},
		"exec":          {exec, nil, well, history.Detail{}, "exec 0 0.8ms"},
		"exec, failing": {exec, &well, with(failing, func(a *history.Attempt) { a.Message, a.Run = "x\nno heartbeat\n", 1 }), history.Detail{ExitCode: 1}, `exec 1 0.1ms 1/3 "no heartbeat"`},
		"exec that prints a timeout": {exec, &well, with(failing, func(a *history.Attempt) { a.Message, a.Run = "context deadline exceeded", 1 }), history.Detail{ExitCode: 2},
			`exec 2 0.1ms 1/3 "context deadline exceeded"`},
		"a prober error": {get, nil, with(failing, func(a *history.Attempt) { a.Outcome, a.Message = history.NoVerdict, "too many open\x1b[2J files" }), history.Detail{},
			`GET /livez error 0.1ms "too many open\x1b[2J files"`},
	} {
		t.Run(name, func(t *testing.T) {
			pod := examplePod("web-1")
			pod.Namespace = "shop"
			pod.Spec.Containers[0].LivenessProbe.ProbeHandler = test.handler
			r := newRecorded(pod)
			if test.first != nil {
				r.attempt(lifecycle.Liveness, *test.first, history.Detail{})
				r.log.Next()
				r.at = r.at.Add(-time.Second)
			}
			r.attempt(lifecycle.Liveness, test.attempt, test.detail)
			all := r.log.Next()
			if len(all) != 1 {
				t.Fatalf("%d attempts, want 1", len(all))
			}
			if got, want := all[0].String(), "12:04:05.123 shop/web-1/app liveness "+test.want; got != want {
				t.Errorf("line %q, want %q", got, want)
			}
			if again := r.log.Next(); len(again) > 0 {
				t.Errorf("told twice: %v", again)
			}
		})
	}
}

// TestProbeLogOrder: attempts of all Pods come in the order of their beginnings, with as much
// detail as there is.
func TestProbeLogOrder(t *testing.T) {
	r := newRecorded(examplePod("web-1"))
	for range 30 {
		r.attempt(lifecycle.Readiness, history.Attempt{}, history.Detail{Status: 200})
		r.attempt(lifecycle.Liveness, history.Attempt{}, history.Detail{Status: 200})
	}
	all := r.log.Next()
	detailed := 0
	for i, a := range all {
		if i > 0 && a.Attempt.Time.Before(all[i-1].Attempt.Time) {
			t.Errorf("attempt %d comes before the one that is told before it", i)
		}
		if a.Detailed {
			detailed++
		}
	}
	if len(all) != 60 || detailed != 40 {
		t.Errorf("%d attempts, %d in detail, want 60 and 40", len(all), detailed)
	}
	r.attempt(lifecycle.Liveness, history.Attempt{}, history.Detail{})
	r.log.Pod(watch.Deleted, examplePod("web-1"))
	if left := r.log.Next(); len(left) > 0 {
		t.Errorf("of a Pod that is gone: %v", left)
	}
}

// TestProbeLogJSON: every field that the documentation names, and no body of an answer.
func TestProbeLogJSON(t *testing.T) {
	r := newRecorded(examplePod("web-1"))
	r.attempt(lifecycle.Liveness, history.Attempt{Took: time.Millisecond, Outcome: history.Failed, Message: "no heartbeat", Instance: 2, Run: 1, Failing: true, Result: history.Passing},
		history.Detail{ExitCode: 1, Body: "secret"})
	line, err := r.log.Next()[0].JSON()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"type": "ATTEMPT", "object": map[string]any{
		"time": r.at.Add(-time.Second).UTC().Format("2006-01-02T15:04:05.000000Z"), "namespace": "default", "pod": "web-1", "uid": "web-1", "container": "app", "restarts": 2.0,
		"probe": "liveness", "asked": "exec x", "outcome": "Failed", "notYet": true, "tookSeconds": 0.001, "exitCode": 1.0, "message": "no heartbeat",
		"counts": "failures", "run": 1.0, "threshold": 3.0, "result": "Success",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(string(line), "secret") {
		t.Errorf("a body is in %s", line)
	}
}

// TestRowEnds: a success that nobody told of ends a row of failures, if it came in between, and if
// it was one of this instance.
func TestRowEnds(t *testing.T) {
	s, p := newStage(t, false), examplePod("web-1")
	s.pod(p, running("a"))
	var recorder history.Recorder
	past := recorder.Add(p.UID)
	probe := past.Probe(history.Key{Container: "app", Type: "Liveness"}, history.Probing{FailureThreshold: 3})
	s.reporter.opts.History = recorder.Reader()
	attempt := func(outcome history.Outcome, instance int) {
		if outcome == history.Failed {
			s.event(p, "app", "Warning", "Unhealthy", "Liveness probe failed: "+slow)
		}
		past.Attempt(probe, history.Attempt{Time: s.now, Outcome: outcome, Instance: instance}, history.Detail{})
	}
	for i, outcome := range []history.Outcome{history.Failed, history.Answered, history.Failed, history.Failed, history.Answered, history.Failed} {
		s.at(float64(i + 1))
		attempt(outcome, 0)
	}
	p.Status.ContainerStatuses[0].RestartCount = 1
	s.pod(p, running("b"))
	s.said = append(s.said, "-")
	s.at(10)
	attempt(history.Failed, 1) // of an instance that has not come up
	s.want(
		"0.0 Started pod/web-1: pid 48122, http 8080 at 127.0.0.1:37121",
		"3.0 Failing pod/web-1: timeout 1 s · GET /livez · 1/3",
		"5.0 Waiting pod/web-1: not ready after 5 s: no readiness attempt yet · GET /readyz",
		"6.0 Failing pod/web-1: timeout 1 s · GET /livez · 1/3",
		"6.0 Started pod/web-1: pid 48122, http 8080 at 127.0.0.1:37121",
		"-",
	)
}
