package evidence

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules/seen"
)

// TestMerge: each finding says what it rests on, with numbers, and over what.
func TestMerge(t *testing.T) {
	const (
		lowLiveness   = "livenessProbe: {httpGet: {port: 80, path: /livez}, failureThreshold: 1}"
		lowReadiness  = "readinessProbe: {httpGet: {port: 80}, periodSeconds: 2, failureThreshold: 1}"
		goodLiveness  = "livenessProbe: {httpGet: {port: 80, path: /livez}}"
		goodReadiness = "readinessProbe: {httpGet: {port: 80}}"
		startup       = "startupProbe: {httpGet: {port: 80}, failureThreshold: 6}"
		namedPort     = "readinessProbe: {httpGet: {port: web}}"
	)
	forbidden := func(string) bool { return true }
	many := func(n int, change ...func(*corev1.Pod)) (pods []*corev1.Pod) {
		for i := range n {
			pods = append(pods, aPod(i, change...))
		}
		return pods
	}
	for name, c := range map[string]struct {
		container string
		options   Options
		pods      []*corev1.Pod
		events    []*corev1.Event
		rule      string
		severity  advisor.Severity // 0: there is no such finding
		basis     advisor.Basis
		seen      string // a part of it, or of the message
	}{
		"predicted": {
			lowLiveness, Options{}, many(3), nil,
			"liveness-threshold-too-low", advisor.Risk, advisor.Predicted, "nothing of it was seen; over 3 Pods, 30 Pod-hours, by Events of the last hour",
		},
		"a risk that happened is an outage if Pods were killed": {
			lowLiveness, Options{}, many(3, restarted(5, 137)), []*corev1.Event{anEvent(0, "Killing", killedByLiveness, 4)},
			"liveness-threshold-too-low", advisor.Outage, advisor.Both, "liveness killed it at least 4 times in 1 Pod; over 3 Pods",
		},
		"once is not seen": {
			lowLiveness, Options{}, many(3), []*corev1.Event{anEvent(0, "Killing", killedByLiveness, 1)},
			"liveness-threshold-too-low", advisor.Risk, advisor.Predicted, "nothing of it was seen",
		},
		"once in each of two Pods is": {
			lowLiveness, Options{}, many(3), []*corev1.Event{anEvent(0, "Killing", killedByLiveness, 1), anEvent(1, "Killing", killedByLiveness, 1)},
			"liveness-threshold-too-low", advisor.Outage, advisor.Both, "twice in 2 Pods",
		},
		"a risk that only fails stays one": {
			lowLiveness, Options{}, many(3), []*corev1.Event{anEvent(0, "Unhealthy", livenessFailed, 9)},
			"liveness-threshold-too-low", advisor.Risk, advisor.Both, "liveness failed at least 9 times in 1 Pod (last: HTTP probe failed with statuscode: 500)",
		},
		"waste that happened is a risk": {
			lowReadiness, Options{}, many(3), []*corev1.Event{anEvent(0, "Unhealthy", readinessFailed, 9)},
			"readiness-too-sensitive", advisor.Risk, advisor.Both, "readiness failed at least 9 times",
		},
		"what cannot be seen": {
			lowReadiness, Options{}, many(3), []*corev1.Event{anEvent(0, "Unhealthy", readinessFailed, 9)},
			"no-drain", 0, "", "",
		},
		"Events are forbidden": {
			lowLiveness, Options{NoEvents: forbidden}, many(3), nil,
			"liveness-threshold-too-low", advisor.Risk, advisor.Predicted, "not judged by what happened",
		},
		"contradicted": {
			namedPort, Options{}, many(6), nil,
			"probe-named-port-missing", advisor.Outage, advisor.Contradicted, "half of 6 Pods took 2 s at most, the slowest 2 s, and nothing restarted; over 6 Pods, 60 Pod-hours",
		},
		"too few to contradict": {
			namedPort, Options{}, many(1), nil,
			"probe-named-port-missing", advisor.Outage, advisor.Predicted, "nothing of it was seen",
		},
		"restarts by liveness that nothing foretold": {
			goodLiveness, Options{}, many(2, restarted(7, 0)), []*corev1.Event{anEvent(0, "Killing", killedByLiveness, 5)},
			seen.Restarts, advisor.Outage, advisor.Seen, "restarted 14 times in 2 Pods (0.7 per Pod-hour); ended last with exit code 0 (2 Pods); liveness killed it at least 5 times in 1 Pod; the stall that it surely survives is 21 s",
		},
		"restarts without a cause": {
			goodLiveness, Options{}, many(2, restarted(7, 3)), nil,
			seen.Restarts, advisor.Risk, advisor.Seen, "exit code 3 (2 Pods); the cause was not seen: Events are kept for an hour",
		},
		"restarts, and Events are forbidden": {
			goodLiveness, Options{NoEvents: forbidden}, many(2, restarted(7, 137)), nil,
			seen.Restarts, advisor.Risk, advisor.Seen, "stopped from outside; Events are forbidden, so which probe is not known",
		},
		"restarts are said once": {
			lowLiveness, Options{}, many(3, restarted(5, 137)), []*corev1.Event{anEvent(0, "Killing", killedByLiveness, 4)},
			seen.Restarts, 0, "", "",
		},
		"flaps": {
			goodReadiness, Options{}, append(many(4), aPod(8, away(time.Minute)), aPod(9, readyAfter(8*time.Hour))), []*corev1.Event{anEvent(8, "Unhealthy", readinessFailed, 3)},
			seen.Flaps, advisor.Risk, advisor.Seen, "2 Pods stopped being Ready after the start; not Ready now: 1, the longest for 60 s; readiness failed at least 3 times in 1 Pod",
		},
		"one flap is none": {
			goodReadiness, Options{}, append(many(4), aPod(8, away(time.Minute))), nil,
			seen.Flaps, 0, "", "",
		},
		"slow starts": {
			startup, Options{}, append(many(4, readyAfter(20*time.Second)), aPod(9, readyAfter(47*time.Second))), nil,
			seen.SlowStart, advisor.Risk, advisor.Seen, "the slowest start took 47 s, and startup surely allows 50 s",
		},
		"starts that have time": {
			startup, Options{}, many(4, readyAfter(20*time.Second)), nil,
			seen.SlowStart, 0, "", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := judged(t, observe(c.options, c.pods, c.events...), c.container)
			var got *advisor.Finding
			for i := range found {
				if found[i].Rule == c.rule {
					got = &found[i]
				}
			}
			switch {
			case c.severity == 0:
				if got != nil && got.Basis != advisor.Predicted {
					t.Errorf("found %+v", got)
				}
			case got == nil:
				t.Errorf("no %s among %v", c.rule, found)
			case got.Severity != c.severity || got.Basis != c.basis || !strings.Contains(got.Message+" "+got.Seen, c.seen):
				t.Errorf("%v, %s:\n%s\n%s\nwant %v, %s: %s", got.Severity, got.Basis, got.Message, got.Seen, c.severity, c.basis, c.seen)
			}
		})
	}
}

// TestSeldomRestarts: nodes are replaced, and that is no finding.
func TestSeldomRestarts(t *testing.T) {
	old := func(p *corev1.Pod) { p.CreationTimestamp.Time = now().Add(-90 * 24 * time.Hour) }
	observed := observe(Options{}, []*corev1.Pod{aPod(1, old, restarted(1, 137)), aPod(2, old, restarted(1, 137))})
	for _, f := range judged(t, observed, "livenessProbe: {httpGet: {port: 80}}") {
		if f.Rule == seen.Restarts {
			t.Errorf("found %s: %s", f.Rule, f.Message)
		}
	}
}

// TestCountersWithoutEvents: who may not read Events but ask the kubelets sees all the same.
func TestCountersWithoutEvents(t *testing.T) {
	forbidden := func(string) bool { return true }
	observed := observe(Options{NoEvents: forbidden}, []*corev1.Pod{aPod(1)})
	const counter = `prober_probe_total{container="web",pod_uid="u1",probe_type="Liveness",result="failed"} 83`
	if err := observed.AddMetrics(strings.NewReader(counter)); err != nil {
		t.Fatal(err)
	}
	const want = "liveness failed 83 times in 1 Pod; over 1 Pod, 10 Pod-hours, by the kubelets' counters"
	for _, f := range judged(t, observed, "livenessProbe: {httpGet: {port: 80, path: /livez}, failureThreshold: 1}") {
		if f.Rule == "liveness-threshold-too-low" && (f.Basis != advisor.Both || f.Severity != advisor.Risk || f.Seen != want) {
			t.Errorf("%v, %s: %s\nwant %s", f.Severity, f.Basis, f.Seen, want)
		}
	}
}
