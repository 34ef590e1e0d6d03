package node

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/probe"
)

// Each attempt is recorded with its counter, calm successes too, and what it led to. A restart
// leaves what was, and when the Pod is gone, nothing is left.
func TestRecording(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		refused := answer{result: probe.Result{Outcome: probe.Failure, Output: "connection refused"}}
		late := answer{result: probe.Result{Outcome: probe.Failure, Output: "timeout", Detail: probe.Detail{
			Remote: "127.0.0.1:41001", Connect: time.Millisecond, Total: time.Second, TimedOut: true}}}
		n.engine.answer("/live", refused, healthy, healthy, failing, late, healthy)
		n.starter.program("server", behaviour{listens: "PORT", output: "one\n\ntwo\nthree\nfour\n"})
		pod := n.create(examplePodOf(withLiveness("/live")))
		reader, key := n.node.History(), history.Key{Container: "app", Type: "Liveness"}
		n.until("a second instance answers", func() bool { return len(reader.Attempts(pod.UID, key, 0)) >= 7 })

		var got []history.Attempt
		for _, a := range reader.Attempts(pod.UID, key, 0)[:7] {
			a.Time, a.Took = time.Time{}, 0
			got = append(got, a)
		}
		statuscode := failing.result.Output
		want := []history.Attempt{
			{Seq: 1, Outcome: history.Failed, NotYet: true, Message: "connection refused", Run: 1, Threshold: 2, Failing: true, Result: history.Passing},
			{Seq: 2, Outcome: history.Answered, Run: 1, Threshold: 1, Result: history.Passing},
			{Seq: 3, Outcome: history.Answered, Run: 2, Threshold: 1, Result: history.Passing},
			{Seq: 4, Outcome: history.Failed, Message: statuscode, Run: 1, Threshold: 2, Failing: true, Result: history.Passing},
			{Seq: 5, Outcome: history.TimedOut, Message: "timeout", Run: 2, Threshold: 2, Failing: true, Result: history.Failing},
			{Seq: 6, Outcome: history.Answered, Instance: 1, Run: 1, Threshold: 1, Result: history.Passing},
			{Seq: 7, Outcome: history.Answered, Instance: 1, Run: 2, Threshold: 1, Result: history.Passing},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		wantDetail := history.Detail{Seq: 5, Remote: "127.0.0.1:41001", Message: "timeout", Connect: time.Millisecond, Total: time.Second, TimedOut: true}
		if diff := cmp.Diff(wantDetail, reader.Details(pod.UID, key)[4]); diff != "" {
			t.Errorf("detail (-want +got):\n%s", diff)
		}
		if probes := reader.Probes(pod.UID); len(probes) != 1 || probes[0].Key != key || probes[0].Latest.Seq < 7 || probes[0].Probing != (history.Probing{Asks: "GET http://:http/live", SuccessThreshold: 1, FailureThreshold: 2}) {
			t.Errorf("probes = %+v", probes)
		}

		instances := reader.Instances(pod.UID)
		wantInstances := []history.Instance{
			{Container: "app", ExitCode: 143, Signal: 15, Cause: "Container app failed liveness probe, will be restarted", Probe: "Liveness", LastLines: []string{"two", "three", "four"}},
			{Container: "app", Number: 1},
		}
		if diff := cmp.Diff(wantInstances, instances, cmpopts.IgnoreFields(history.Instance{}, "Started", "Ended")); diff != "" {
			t.Errorf("instances (-want +got):\n%s", diff)
		}
		if instances[0].Ended.IsZero() || !instances[1].Ended.IsZero() || instances[1].Started.Before(instances[0].Ended) {
			t.Errorf("instances ran at %+v", instances)
		}
		n.delete(-1)
		n.until("the Pod is gone", func() bool { return n.pod() == nil })
		if left := len(reader.Probes(pod.UID)) + len(reader.Instances(pod.UID)) + len(reader.Changes(pod.UID)); left > 0 {
			t.Errorf("%d records are left of a Pod that is gone", left)
		}
	})
}

// A program that ends by itself has no cause; a deletion and an abort are causes.
func TestCausesOfEnds(t *testing.T) {
	for name, test := range map[string]struct {
		program behaviour
		act     func(n *testNode)
		cause   string
		code    int
	}{
		"by itself": {behaviour{listens: "PORT", life: time.Second, code: 7}, func(n *testNode) {}, "", 7},
		"deletion":  {behaviour{listens: "PORT", term: time.Second}, func(n *testNode) { n.delete(-1) }, "Stopping container app", 143},
		"abort":     {behaviour{listens: "PORT", stubborn: true, killTakes: time.Second}, func(n *testNode) { n.node.Abort() }, "Stopping container app", 137},
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.starter.program("server", test.program)
				// it keeps the Pod there for a while
				n.starter.program("slow", behaviour{term: 5 * time.Second, killTakes: 5 * time.Second})
				pod := n.create(examplePodOf(func(p *corev1.Pod) {
					p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "slow", Image: "example", Command: []string{"slow"}})
				}))
				n.at(500 * time.Millisecond)
				test.act(n)
				var last history.Instance
				n.until("the instance ended", func() bool {
					for _, i := range n.node.History().Instances(pod.UID) {
						if i.Container == "app" && i.Number == 0 {
							last = i
						}
					}
					return !last.Ended.IsZero()
				})
				if last.Cause != test.cause || last.ExitCode != test.code {
					t.Errorf("instance = %+v, want cause %q and exit code %d", last, test.cause, test.code)
				}
			})
		})
	}
}

func TestRecordedOutcome(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		result probe.Result
		want   history.Outcome
	}{
		"success":           {probe.Result{Outcome: probe.Success}, history.Answered},
		"warning":           {probe.Result{Outcome: probe.Warning}, history.Warning},
		"failure":           {probe.Result{Outcome: probe.Failure}, history.Failed},
		"timeout":           {probe.Result{Outcome: probe.Failure, Detail: probe.Detail{TimedOut: true}}, history.TimedOut},
		"error":             {probe.Result{Err: broken}, history.NoVerdict},
		"error at the body": {probe.Result{Outcome: probe.Failure, Err: broken, Detail: probe.Detail{TimedOut: true}}, history.NoVerdict},
		"nothing":           {probe.Result{}, history.NoVerdict},
	} {
		t.Run(name, func(t *testing.T) {
			if got := recordedOutcome(test.result); got != test.want {
				t.Errorf("outcome = %v, want %v", got, test.want)
			}
		})
	}
}

func TestCounted(t *testing.T) {
	if got := counted(lifecycle.ProbeState{Run: 2, Threshold: 3}); got != 2 {
		t.Errorf("counted = %d, want 2", got)
	}
	if got := counted(lifecycle.ProbeState{Run: 0, Threshold: 3, Hold: true}); got != 3 {
		t.Errorf("counted = %d at the threshold, want 3", got)
	}
	if got := counted(lifecycle.ProbeState{Threshold: 3}); got != 0 {
		t.Errorf("counted = %d before anything counts, want 0", got)
	}
}

func TestAsks(t *testing.T) {
	for want, h := range map[string]corev1.ProbeHandler{
		"exec cat /tmp/healthy":         {Exec: &corev1.ExecAction{Command: []string{"cat", "/tmp/healthy"}}},
		"GET http://:8080/readyz":       {HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(8080), Path: "/readyz", Scheme: corev1.URISchemeHTTP}},
		"GET https://other:web/?deep=1": {HTTPGet: &corev1.HTTPGetAction{Host: "other", Port: intstr.FromString("web"), Path: "?deep=1", Scheme: corev1.URISchemeHTTPS}},
		"tcp :5432":                     {TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(5432)}},
		"grpc :9000":                    {GRPC: &corev1.GRPCAction{Port: 9000, Service: new("")}},
		"grpc :9000 shop":               {GRPC: &corev1.GRPCAction{Port: 9000, Service: new("shop")}},
		"":                              {},
	} {
		if got := asks(&h); got != want {
			t.Errorf("asks = %q, want %q", got, want)
		}
	}
}
