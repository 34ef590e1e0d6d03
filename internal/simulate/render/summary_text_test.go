package render

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

const twoWorkloads = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers:
      - {name: server, image: agent, livenessProbe: {httpGet: {path: /, port: 9100}, initialDelaySeconds: 90}}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: server, image: web, livenessProbe: {httpGet: {path: /, port: 8080}}}
`

// TestSummaryWords is about sentences that were misread.
func TestSummaryWords(t *testing.T) {
	grace := simulatetest.PodWith("livenessProbe: {httpGet: {path: /l, port: http}, failureThreshold: 1}")
	for _, c := range []struct {
		name, manifest string
		faults         []string
		horizon        time.Duration
		words          []string
		want           []string
	}{
		{"the decision and the restart", grace, []string{"hang@20s"}, 2 * time.Minute, []string{"hang@20s,", "restarts "},
			[]string{"faults hang@20s, web/web at 20s: killed by liveness after 1.604s, running again after 31.604s (at any phase: liveness in 1s to 11s)",
				"restarts 1: 1 decided by a probe"}},
		{"a decision that was not carried out", grace, []string{"hang@20s"}, 40 * time.Second, []string{"hang@20s,", "restarts "},
			[]string{"faults hang@20s, web/web at 20s: killed by liveness after 1.604s, not running again at 40s (at any phase: liveness in 1s to 11s)",
				"restarts 0; 1 more decided by a probe and not running again at 40s"}},
		{"sums add up", grace, []string{"slow-start=90s"}, 5 * time.Minute, []string{"restarts "},
			[]string{"restarts 6: 6 decided by a probe (6 for nothing); 1 more decided by a probe and not running again at 5m (1 for nothing); the back-off put starts off 6 times"}},
		{"liveness that waits", twoWorkloads, []string{"hang@60s+20s,workload=daemonset/agent"}, 5 * time.Minute, []string{"hang@60s", "restarts "},
			[]string{"faults hang@60s+20s,workload=daemonset/agent, agent-1/server at 1m: no probe acted, it was over after 20s; liveness has not begun yet",
				"restarts 0, liveness has not begun yet"}},
		{"liveness that waits for the startup probe", simulatetest.PodWith("startupProbe: {httpGet: {path: /, port: http}, failureThreshold: 30}\nlivenessProbe: {httpGet: {path: /, port: http}}"),
			[]string{"slow-start=100s", "hang@60s+35s"}, 3 * time.Minute, []string{"hang@60s", "restarts "},
			[]string{"faults hang@60s+35s, web/web at 1m: no probe acted, it was over after 35s; liveness has not begun yet", "restarts 0, liveness has not begun yet"}},
		{"liveness that begins late", twoWorkloads, []string{"hang@60s+60s,workload=agent"}, 5 * time.Minute, []string{"hang@60s"},
			[]string{"faults hang@60s+60s,workload=agent, agent-1/server at 1m: killed by liveness after 51.971s, running again after 1m; liveness began only after 30.971s"}},
		{"loops of two containers of one name", twoWorkloads, nil, time.Minute, []string{"restart loop"},
			[]string{"restart loop safe: server of daemonset/agent, start-up 0s ≤ initialDelaySeconds 90 + 2 × periodSeconds 10 = 1m50s",
				"restart loop safe: server of pod/web, start-up 0s ≤ 2 × periodSeconds 10 = 20s"}},
		{"loops of many containers", manyWorkloads(), []string{"slow-start=90s,workload=a-service-whose-name-is-as-long-as-a-name-may-be-and-is-number-3"}, time.Second, []string{"restart loop"},
			[]string{"restart loop certain: the-server-of-this-pod-and-of-no-other of pod/NAME-3, start-up 1m30s > 3 × periodSeconds 10 = 30s; failureThreshold 10 would do",
				"restart loop safe: the-server-of-this-pod-and-of-no-other of pod/NAME-0, the-server-of-this-pod-and-of-no-other of pod/NAME-1, " +
					"the-server-of-this-pod-and-of-no-other of pod/NAME-2 and 8 more, whose starts no probe cuts short"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := simulated(t, c.manifest, simulatetest.Script(t, c.faults...), simulate.Options{Horizon: c.horizon, EarlyProbes: true, NoTimeline: true})
			got := textLines(t, r, c.words...)
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], "a-service-whose-name-is-as-long-as-a-name-may-be-and-is-number", "NAME")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFailedRequestsAddUp rounds, and the parts still add up.
func TestFailedRequestsAddUp(t *testing.T) {
	for _, rate := range []float64{0.5, 1, 3, 7, 100, 333} {
		r := simulate.Route{Unavailable: simulate.Offset(1500 * time.Millisecond), Unanswered: simulate.Offset(2500 * time.Millisecond)}
		found := regexp.MustCompile(`^(\d+) of \d+ at \S+: (\d+) with nobody to send them to, (\d+) sent`).FindStringSubmatch(failedText(r, simulate.Offset(time.Minute), rate))
		if found == nil || atoi(t, found[1]) != atoi(t, found[2])+atoi(t, found[3]) {
			t.Errorf("at %g/s: %q", rate, found)
		}
	}
}

func atoi(t *testing.T, s string) (n int) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPhaseText says how far the phase of the probes matters, and how well that is known.
func TestPhaseText(t *testing.T) {
	r := simulated(t, simulatetest.PodWith("startupProbe: {httpGet: {path: /, port: http}, periodSeconds: 310, initialDelaySeconds: 15}"), simulatetest.Script(t), simulate.Options{EarlyProbes: true})
	a := &simulate.AnyPhase{Phases: 71, Complete: true, Ready: simulate.Range{Least: new(simulate.Number(15.005)), Most: new(simulate.Number(325.005))}}
	r.Summary.AnyPhase = a
	want := []string{"first ready after 15.639s (at any phase: 15.005s to 5m25.005s)", "restarts 0"}
	if diff := cmp.Diff(want, textLines(t, r, "first ready", "restarts ")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	a.Complete, a.Ready.Most = false, nil
	want[0] = "first ready after 15.639s (at 71 phases that were tried: 15.005s to never)"
	if diff := cmp.Diff(want, textLines(t, r, "first ready", "restarts ")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestJSONNumbers has no digits that only show how floats are made.
func TestJSONNumbers(t *testing.T) {
	sc := simulatetest.Script(t, "gc-stall=8s/1m", "hang@4794ms+1s")
	r := simulated(t, simulatetest.DefaultProbes, sc, simulate.Options{Horizon: time.Hour})
	var err error
	if r.Summary.AnyPhase, err = simulate.Sweep(simulatetest.Objects(t, simulatetest.DefaultProbes), sc, simulate.Options{Horizon: time.Hour}); err != nil {
		t.Fatal(err)
	}
	m, err := simulate.RunMany(simulatetest.Objects(t, simulatetest.DefaultProbes), simulatetest.Script(t, "gc-stall=7s/1h"), simulate.ManyOptions{Runs: 7, Horizon: 33 * time.Hour, Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := JSON(&b, r, nil); err != nil {
		t.Fatal(err)
	}
	if err := ManyJSON(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"at": 4.794,`) {
		t.Error("the fault at 4.794 s is not there")
	}
	for _, number := range regexp.MustCompile(`[1-9]\d*\.\d{7,}|\.0*[1-9]\d{6,}`).FindAllString(b.String(), 5) {
		t.Errorf("the number %s", number)
	}
}
