package simulate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/probity-run/probity/internal/simulate/script"
)

// podWith is a Pod of one container, web, with these probes in YAML.
func podWith(probes string) string {
	return `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  containers:
  - name: web
    image: web
    ports: [{name: http, containerPort: 8080}]
` + indented(probes, "    ")
}

func indented(text, by string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
		b.WriteString(by + line)
	}
	return b.String()
}

const deployed = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web
        ports: [{name: http, containerPort: 8080}]
        startupProbe: {httpGet: {path: /startupz, port: http}, periodSeconds: 1, failureThreshold: 60}
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 5, failureThreshold: 2}
        livenessProbe: {httpGet: {path: /livez, port: http}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80}]}
`

func simulated(t testing.TB, text string, sc *script.Script, opts Options) *Result {
	t.Helper()
	r, err := Run(parsed(t, text), sc, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lines are those of the text that contain one of the words.
func textLines(t testing.TB, r *Result, words ...string) []string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b, 100); err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(b.String()) {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) }) {
			found = append(found, strings.Join(strings.Fields(line), " "))
		}
	}
	return found
}

// TestHang is A12, R133: two replicas hang, liveness takes one of them after the third timeout,
// SIGTERM goes unheard, SIGKILL follows after the grace period.
func TestHang(t *testing.T) {
	r := simulated(t, podWith(`
livenessProbe: {httpGet: {path: /livez, port: http}}
`), scriptOf(t, "hang@25s"), Options{Horizon: 2 * time.Minute})
	want := []string{
		`0:25.000 web/web#1 hang@25s begins`,
		`0:50.604 web/web#1 Liveness probe failed after 1s (3/3): Get "http://127.0.0.1:8080/livez": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
		`0:51.604 web/web#1 event Normal Killing Container web failed liveness probe, will be restarted`,
		`0:51.604 web/web#1 SIGTERM`,
		`1:21.604 web/web#1 SIGKILL`,
		`1:21.604 web/web#1 exited, code 137`,
		`1:21.604 web/web#1 hang@25s is over`,
		`1:21.604 web/web#2 started`,
	}
	got := textLines(t, r, "hang@25s begins", "3/3)", "Killing", "SIG", "exited", "is over", "#2 started", "web#2")
	got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "#2 is ") || strings.Contains(s, "succeeded") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	o := r.Summary.Faults[0]
	if o.Detected == nil || *o.Detected != *o.Restarted || *o.Detected < Offset(21*time.Second) || *o.Detected > Offset(31*time.Second) {
		t.Errorf("detected after %v, want 21s to 31s (5.1)", o.Detected)
	}
}

// TestSkippingIsExact compares the whole timeline with and without skipping.
func TestSkippingIsExact(t *testing.T) {
	yaml := `
programs:
  web: {startup: {uniform: {from: 1s, to: 9s}}, latency: {lognormal: {median: 20ms, p99: 900ms}}, failures: 0.003, shutdown: 2s}
`
	random, err := script.Decode("script.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		manifest string
		script   *script.Script
		horizon  time.Duration
	}{
		"calm":            {defaults, scriptOf(t), 3 * time.Hour},
		"stalls":          {defaults, scriptOf(t, "gc-stall=8s/10m"), 24 * time.Hour},
		"by chance":       {podWith("livenessProbe: {httpGet: {path: /, port: 8080}}\nreadinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 3, failureThreshold: 1}"), random, 24 * time.Hour},
		"replicas":        {deployed, scriptOf(t, "gc-stall=8s/10m", "hang@2h", "crash@3h", "dependency-outage@4h+2m", "flap=1m/40m"), 6 * time.Hour},
		"rollout":         {deployed, scriptOf(t, "rollout@30m", "slow-start=20s", "kubelet-restart@1h", "errors@90m+1m"), 2 * time.Hour},
		"tcp and grpc":    {podWith("livenessProbe: {tcpSocket: {port: 8080}}\nreadinessProbe: {grpc: {port: 8080}}"), scriptOf(t, "refuse@10m+40s", "hang@30m+5m"), time.Hour},
		"timeout > P":     {podWith("livenessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, timeoutSeconds: 5}"), scriptOf(t, "gc-stall=8s/10m", "slow=2s/10m"), 2 * time.Hour},
		"slow":            {defaults, scriptOf(t, "slow=300ms/20m", "gc-stall=8s/1h", "slow=200ms"), 12 * time.Hour},
		"too slow":        {defaults, scriptOf(t, "slow=3s/10h", "gc-stall=8s/1h"), 12 * time.Hour},
		"exits":           {defaults, scriptOf(t, "crash-loop=7m"), 6 * time.Hour},
		"exec and worker": {podWith("livenessProbe: {exec: {command: [probity, probe, heartbeat, beat]}, periodSeconds: 30}"), scriptOf(t, "hang@20m+70s", "gc-stall=1m/1h"), 12 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				skipped := simulated(t, c.manifest, c.script, Options{Horizon: c.horizon, Seed: seed + 1})
				every := simulated(t, c.manifest, c.script, Options{Horizon: c.horizon, Seed: seed + 1, noSkip: true})
				ignore := cmp.Options{cmpopts.IgnoreUnexported(Entry{}, Occurrence{}, Restart{})}
				if diff := cmp.Diff(every.Timeline.Entries(), skipped.Timeline.Entries(), ignore); diff != "" {
					t.Fatalf("seed %d: timelines differ (-every probe +skipping):\n%.3000s", seed+1, diff)
				}
				if diff := cmp.Diff(every.Summary, skipped.Summary, ignore); diff != "" {
					t.Fatalf("seed %d: summaries differ (-every probe +skipping):\n%s", seed+1, diff)
				}
			}
		})
	}
}

// TestSameSeedSameAnswer plays twice.
func TestSameSeedSameAnswer(t *testing.T) {
	text := func(seed uint64) string {
		r := simulated(t, deployed, scriptOf(t, "gc-stall=30s/20m"), Options{Horizon: 12 * time.Hour, Seed: seed})
		var b strings.Builder
		if err := r.WriteText(&b, 100); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	seven := text(7)
	if seven != text(7) {
		t.Error("the same seed gives another answer")
	}
	if seven == text(8) {
		t.Error("another seed gives the same answer")
	}
}

// TestManyDoesNotDependOnWorkers plays with one worker and with several.
func TestManyDoesNotDependOnWorkers(t *testing.T) {
	outcome := func(workers int) *Many {
		m, err := RunMany(parsed(t, defaults), scriptOf(t, "gc-stall=20s/1h"), ManyOptions{Runs: 40, Horizon: script.Day, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if diff := cmp.Diff(outcome(1), outcome(7)); diff != "" {
		t.Errorf("(-1 worker +7 workers):\n%s", diff)
	}
}

func TestPhasesOfALife(t *testing.T) {
	for name, c := range map[string]struct {
		manifest string
		faults   []string
		horizon  time.Duration
		words    []string
		want     []string
	}{
		"R13 R103 readiness is poked after the startup probe": {
			podWith("startupProbe: {httpGet: {path: /s, port: http}, periodSeconds: 2, failureThreshold: 30}\nreadinessProbe: {httpGet: {path: /r, port: http}, periodSeconds: 60}"),
			[]string{"slow-start=9s"}, 30 * time.Second, []string{"Startup probe", "started", "Readiness", "pods: nobody", "pods: ready"},
			[]string{
				"0:00.000 pods: nobody ready; not ready web", "0:00.000 web/web#1 started",
				`0:00.634 web/web#1 Startup probe failed (1/30 to 5/30), 5 times until 0:08.634, every 2s: Get "http://127.0.0.1:8080/s": dial tcp 127.0.0.1:8080: connect: connection refused`,
				"0:10.634 web/web#1 Startup probe succeeded after 5ms", "0:10.639 web/web#1 is running, started", "0:10.639 web/web#1 Readiness probe succeeded after 5ms",
				"0:10.644 web/web#1 is running, started, ready", "0:10.644 pods: ready web",
			},
		},
		"p28 a tcpSocket probe sees no hang": {
			podWith("livenessProbe: {tcpSocket: {port: http}}"), []string{"hang@20s"}, 5 * time.Minute, []string{"restarts", "hang@20s, "},
			[]string{"faults hang@20s, web/web at 20s: no probe acted", "restarts 0"},
		},
		"R93 a refused gRPC probe takes its whole timeout": {
			podWith("livenessProbe: {grpc: {port: 8080}, timeoutSeconds: 2, failureThreshold: 1}"), []string{"refuse@20s+30s"}, 25 * time.Second, []string{"Liveness probe failed"},
			[]string{`0:20.604 web/web#1 Liveness probe failed after 2s: timeout: failed to connect service "127.0.0.1:8080" within 2s: context deadline exceeded`},
		},
		"R86 an exec probe times out": {
			podWith("livenessProbe: {exec: {command: [check, it]}, failureThreshold: 1}"), []string{"hang@20s+30s"}, 25 * time.Second, []string{"Liveness probe failed"},
			[]string{`0:20.604 web/web#1 Liveness probe failed after 1s: command timed out: "check it" timed out after 1s`},
		},
		"R48 errors count for nothing": {
			podWith("livenessProbe: {httpGet: {path: /, port: http}, failureThreshold: 1}"), []string{"crash@45s"}, time.Minute, []string{"exited", "restarts "},
			[]string{"restarts 1", "0:45.000 web/web#1 exited, code 1"},
		},
		"R150 the first restart of a crash is immediate, then back-off": {
			podWith(""), []string{"crash-loop=5s"}, 40 * time.Second, []string{" started", "Warning BackOff"},
			[]string{
				"0:00.000 web/web#1 started", "0:05.000 web/web#2 started",
				"0:10.000 web/web#2 event Warning BackOff Back-off restarting failed container web in pod web_default(00000001-0000-4000-8000-000000000001)",
				"0:20.000 web/web#3 started",
				"0:25.000 web/web#3 event Warning BackOff Back-off restarting failed container web in pod web_default(00000001-0000-4000-8000-000000000001)",
			},
		},
		"p04 an outage restarts what asks the same question": {
			podWith("livenessProbe: {httpGet: {path: /h, port: http}}\nreadinessProbe: {httpGet: {path: /h, port: http}}"),
			[]string{"dependency-outage@60s+40s"}, 3 * time.Minute, []string{"faults"},
			[]string{"faults dependency-outage@60s+40s, web/web at 1m: out of rotation after 20.609s, restarted by liveness after 20.609s " +
				"(at any phase: readiness in 20s to 30s, liveness in 20s to 30s)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := simulated(t, c.manifest, scriptOf(t, c.faults...), Options{Horizon: c.horizon})
			got := slices.DeleteFunc(textLines(t, r, c.words...), func(s string) bool {
				return strings.Contains(s, "running, started, ready") && !slices.Contains(c.want, s)
			})
			got = slices.DeleteFunc(got, func(s string) bool { return strings.HasSuffix(s, "is running, started") && !slices.Contains(c.want, s) })
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestKubeletRestart is R167, R169, R170: nothing restarts, Ready stays, counters are lost and the
// ticks get another phase.
func TestKubeletRestart(t *testing.T) {
	probes := "livenessProbe: {httpGet: {path: /, port: http}, failureThreshold: 3}\nreadinessProbe: {httpGet: {path: /, port: http}}"
	calm := simulated(t, podWith(probes), scriptOf(t, "kubelet-restart@65s"), Options{Horizon: 5 * time.Minute})
	if calm.Summary.Restarts != 0 || calm.Summary.Routes[0].Unavailable != 0 {
		t.Errorf("%d restarts, %v unavailable, want none", calm.Summary.Restarts, calm.Summary.Routes[0].Unavailable)
	}
	r := simulated(t, podWith(probes), scriptOf(t, "hang@60s+24s", "kubelet-restart@75s"), Options{Horizon: 5 * time.Minute})
	if n := len(r.Summary.Verdicts); n != 0 {
		t.Errorf("%d restarts by probes although the counter was lost after two failures", n)
	}
	without := simulated(t, podWith(probes), scriptOf(t, "hang@60s+24s"), Options{Horizon: 5 * time.Minute})
	if n := len(without.Summary.Verdicts); n != 1 {
		t.Errorf("%d restarts by probes without the kubelet's restart, want 1: the case shows nothing", n)
	}
}

// TestRollout is R208: with 25 %/25 % of 3, one new Pod more at a time and never one Ready less.
func TestRollout(t *testing.T) {
	r := simulated(t, deployed, scriptOf(t, "rollout@60s", "slow-start=10s"), Options{Horizon: 5 * time.Minute})
	if u := r.Summary.Routes[0].Unavailable; u != 0 {
		t.Errorf("unavailable for %v, want never", u)
	}
	want := []string{
		"0 to 3 of web-rev1", "0 to 1 of web-rev2", "3 to 2 of web-rev1", "1 to 2 of web-rev2", "2 to 1 of web-rev1", "2 to 3 of web-rev2", "1 to 0 of web-rev1",
	}
	var got []string
	for _, e := range r.Timeline.Entries() {
		var direction, set string
		var from, to int
		if e.Kind == KindRollout {
			if _, err := fmt.Sscanf(e.Text, "Scaled %s replica set %s from %d to %d", &direction, &set, &from, &to); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%d to %d of %s", from, to, set))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
