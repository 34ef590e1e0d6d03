// Package drilltest has the report of a drill for tests of what shows one.
package drilltest

import (
	"fmt"
	"time"

	"github.com/probity-run/probity/internal/drill"
)

// seconds is a time in seconds.
func seconds(s float64) drill.Offset { return drill.Offset(s * float64(time.Second)) }

// Sample is the report of a drill in which something of everything happened, a new one each time.
func Sample() *drill.Report {
	hang := &drill.Result{
		Fault: "hang", Title: "hang", Side: drill.SideInside, Workload: "deployment/calculator", Expected: "out 0–2s, kill 7–10s", Measured: "out 1.1–1.9s, kill 7.3–9.6s",
		Requests: 600, Lost: 21, Remarks: []string{"a back-off of 10s would have cost 3s more"},
		Verdicts: []drill.Verdict{
			{Rule: "V1", Grade: drill.GradeFail, Word: "late", Text: "replacing it took 15s more: a grace period it cannot use", Probe: "Liveness", Repetitions: []int{2}, Advice: &drill.Advice{
				Rule: "liveness-kill-too-slow", Text: "Give the liveness probe a grace period of its own.", File: "app.yaml", Line: 58,
				Patch: "--- app.yaml\n+++ app.yaml\n@@ -60,2 +60,3 @@\n             periodSeconds: 3\n             failureThreshold: 3\n+            terminationGracePeriodSeconds: 3\n",
			}},
			{Rule: "V3", Grade: drill.GradePass, Word: "passed", Text: "it left the Service in time"},
		},
	}
	for n := 1; n <= 3; n++ {
		hang.Repetitions = append(hang.Repetitions, Repetition(n, "calculator-6b5f9c7d8-x2x4z", "calculator-6b5f9c7d8-q9k7p"))
	}
	outage := &drill.Result{
		Fault: "dependency-outage:postgres", Title: "dependency postgres down", Side: drill.SideOutside, Workload: "deployment/calculator", Dependency: "postgres",
		Expected: "no restart", Measured: "unready 1.4–2.2s", Requests: 240, Lost: 128,
		Verdicts: []drill.Verdict{{Rule: "V6", Grade: drill.GradeWarning, Word: "fleet emptied", Text: "39 requests were refused that do not need it", Probe: "Readiness"}},
	}
	return &drill.Report{
		Files: []string{"examples/app.yaml"}, Began: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), Took: seconds(214), Routing: "cluster", EndpointDelay: seconds(1), Rate: 20,
		Workloads: []drill.Workload{{Name: "deployment/calculator", Replicas: 2, Container: "calculator", Service: "calculator", Port: 8090, Probes: []drill.Probe{
			{Type: "Readiness", Asks: "GET /readyz", Period: seconds(2), Timeout: seconds(1), Failures: 1}, {Type: "Liveness", Asks: "GET /livez", Period: seconds(3), Timeout: seconds(1), Failures: 3},
		}}},
		Classes: []drill.Class{{Name: "POST /compute", Workload: "deployment/calculator", Requests: 300, P50: seconds(0.004), P99: seconds(0.018), Survives: []string{"queue"}}},
		Results: []*drill.Result{
			{Fault: "baseline", Title: "baseline", Side: drill.SideNone, Expected: "nothing", Measured: "nothing", Requests: 300, Verdicts: []drill.Verdict{{Rule: "baseline", Grade: drill.GradePass, Word: "passed", Text: "all was well without a fault"}}},
			hang, outage,
			{Fault: "crash", Title: "crash", Side: drill.SideEnd, Workload: "deployment/calculator", Expected: "none lost but those in flight", Measured: "could not be told", Verdicts: []drill.Verdict{
				{Rule: "V7", Grade: drill.GradeInconclusive, Word: "inconclusive", Text: "this machine was 312ms late"}}},
		},
		LeftOut:      []drill.LeftOut{{Fault: "deadlock", Workload: "deployment/calculator", Reason: "no annotation probity.run/drill.deadlock.calculator"}},
		Dependencies: []drill.Dependency{{Name: "postgres", Address: "127.0.0.1:5432", Connects: 16, Owned: true}},
		BlindSpots:   []string{"calculator holds a socket that nobody saw it open: 127.0.0.1:6379"},
		Assertions:   []drill.Assertion{{Text: "kill within 9s", Got: "9.6s"}, {Text: "restarts ≤ 3", Holds: true, Got: "3"}},
	}
}

// Repetition is a hang of the first Pod, twenty requests a second.
func Repetition(n int, broken, other string) *drill.Repetition {
	begin := seconds(float64(30 * n))
	after := func(s float64) drill.Offset { return begin + seconds(s) }
	moment := func(s float64) *drill.Offset { return new(seconds(s)) }
	phase := (float64(n) - 0.5) / 3
	kill := 7 + 3*(1-phase)
	p := &drill.Repetition{
		Number: n, Pod: broken, Phase: phase, Begin: begin, End: after(kill + 4), Until: after(20), Late: seconds(0.012), OwnLag: moment(0.2),
		Predicted: drill.Moments{Unready: moment(2 - phase), Killed: moment(kill), Replaced: moment(kill + 3), Ready: moment(kill + 5)},
		Measured:  drill.Moments{Unready: moment(2.1 - phase), Killed: moment(kill + 0.1), Replaced: moment(kill + 4), Ready: moment(kill + 6)},
		Replicas:  []drill.Replica{{Pod: other, Ready: true}, {Pod: broken, Restarts: 1, ExitCode: 137, Ready: true}},
		Ledger:    []drill.Account{{Pod: broken, Class: "POST /compute", Requests: 180, Failed: 7}, {Pod: other, Class: "POST /compute", Requests: 230}},
		Changes: []drill.Change{
			{At: begin, Pod: broken, Kind: drill.ChangeInjected}, {At: after(2.1 - phase), Pod: broken, Kind: drill.ChangeUnready}, {At: after(kill + 0.1), Pod: broken, Kind: drill.ChangeDecided, Text: "Liveness"},
			{At: after(kill + 3.1), Pod: broken, Kind: drill.ChangeEnded, Text: "137"}, {At: after(kill + 4), Pod: broken, Kind: drill.ChangeStarted}, {At: after(kill + 6), Pod: broken, Kind: drill.ChangeReady},
		},
	}
	for i := range 400 {
		r := drill.Request{At: after(float64(i) / 20), Took: seconds(0.004), Class: "POST /compute", Pod: other, Status: 201}
		out := r.At > after(3.1-phase) && r.At < after(kill+6)
		if i%2 == 0 && !out {
			r.Pod = broken
			r.Failed = r.At < after(kill)
		}
		if r.Failed {
			r.Status = 0
		}
		p.Requests = append(p.Requests, r)
	}
	for i := range 10 {
		failed := i > 0 && float64(2*i) < kill+4
		p.Attempts = append(p.Attempts, drill.Attempt{At: after(float64(2*i) - phase), Took: seconds(0.003), Pod: broken, Container: "calculator", Probe: "Readiness", Success: !failed})
	}
	for i := range 7 {
		failed := i > 0 && i < 4
		a := drill.Attempt{At: after(3 * (float64(i) - phase)), Took: seconds(0.003), Pod: broken, Container: "calculator", Probe: "Liveness", Success: !failed}
		if failed {
			a.Took, a.Message = seconds(1), fmt.Sprintf("attempt %d: no answer within 1s", i)
		}
		p.Attempts = append(p.Attempts, a)
	}
	return p
}
