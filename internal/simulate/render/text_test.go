package render

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// textLines are those of the text that contain one of the words.
func textLines(t testing.TB, r *simulate.Result, words ...string) []string {
	t.Helper()
	var b strings.Builder
	if err := Text(&b, r, 100); err != nil {
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
	r := simulated(t, simulatetest.PodWith(`
livenessProbe: {httpGet: {path: /livez, port: http}}
`), simulatetest.Script(t, "hang@25s"), simulate.Options{Horizon: 2 * time.Minute, EarlyProbes: true})
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
	if o.Detected == nil || *o.Detected != *o.Restarted || *o.Detected < simulate.Offset(21*time.Second) || *o.Detected > simulate.Offset(31*time.Second) {
		t.Errorf("detected after %v, want 21s to 31s (5.1)", o.Detected)
	}
}

func TestPhases(t *testing.T) {
	for name, c := range map[string]struct {
		manifest string
		faults   []string
		horizon  time.Duration
		words    []string
		want     []string
	}{
		"R13 R103 readiness is probed at once after the startup probe": {
			simulatetest.PodWith("startupProbe: {httpGet: {path: /s, port: http}, periodSeconds: 2, failureThreshold: 30}\nreadinessProbe: {httpGet: {path: /r, port: http}, periodSeconds: 60}"),
			[]string{"slow-start=9s"}, 30 * time.Second, []string{"Startup probe", "started", "Readiness", "pods: nobody", "pods: ready"},
			[]string{
				"0:00.000 pods: nobody ready; not ready web", "0:00.000 web/web#1 started",
				`0:00.634 web/web#1 Startup probe failed (1/30 to 5/30), 5 times until 0:08.634, every 2s: Get "http://127.0.0.1:8080/s": dial tcp 127.0.0.1:8080: connect: connection refused`,
				"0:10.634 web/web#1 Startup probe succeeded after 5ms", "0:10.639 web/web#1 is running, started", "0:10.639 web/web#1 Readiness probe succeeded after 5ms",
				"0:10.644 web/web#1 is running, started, ready", "0:10.644 pods: ready web",
			},
		},
		"p28 a tcpSocket probe sees no hang": {
			simulatetest.PodWith("livenessProbe: {tcpSocket: {port: http}}"), []string{"hang@20s"}, 5 * time.Minute, []string{"restarts", "hang@20s, "},
			[]string{"faults hang@20s, web/web at 20s: no probe acted", "restarts 0"},
		},
		"R93 a refused gRPC probe takes its whole timeout": {
			simulatetest.PodWith("livenessProbe: {grpc: {port: 8080}, timeoutSeconds: 2, failureThreshold: 1}"), []string{"refuse@20s+30s"}, 25 * time.Second, []string{"Liveness probe failed"},
			[]string{`0:20.604 web/web#1 Liveness probe failed after 2s: timeout: failed to connect service "127.0.0.1:8080" within 2s: context deadline exceeded`},
		},
		"R86 an exec probe times out": {
			simulatetest.PodWith("livenessProbe: {exec: {command: [check, it]}, failureThreshold: 1}"), []string{"hang@20s+30s"}, 25 * time.Second, []string{"Liveness probe failed"},
			[]string{`0:20.604 web/web#1 Liveness probe failed after 1s: command timed out: "check it" timed out after 1s`},
		},
		"R48 errors count for nothing": {
			simulatetest.PodWith("livenessProbe: {httpGet: {path: /, port: http}, failureThreshold: 1}"), []string{"crash@45s"}, time.Minute, []string{"exited", "restarts "},
			[]string{"restarts 1: 1 after the process ended by itself", "0:45.000 web/web#1 exited, code 1"},
		},
		"R150 the first restart of a crash is immediate, then back-off": {
			simulatetest.PodWith(""), []string{"crash-loop=5s"}, 40 * time.Second, []string{" started", "Warning BackOff"},
			[]string{
				"0:00.000 web/web#1 started", "0:05.000 web/web#2 started",
				"0:10.000 web/web#2 event Warning BackOff Back-off restarting failed container web in pod web_default(00000001-0000-4000-8000-000000000001)",
				"0:20.000 web/web#3 started",
				"0:25.000 web/web#3 event Warning BackOff Back-off restarting failed container web in pod web_default(00000001-0000-4000-8000-000000000001)",
			},
		},
		"p04 an outage restarts what asks the same question": {
			simulatetest.PodWith("livenessProbe: {httpGet: {path: /h, port: http}}\nreadinessProbe: {httpGet: {path: /h, port: http}}"),
			[]string{"dependency-outage@60s+40s"}, 3 * time.Minute, []string{"faults"},
			[]string{"faults dependency-outage@60s+40s, web/web at 1m: out of rotation after 20.609s, killed by liveness after 20.609s, running again after 20.609s " +
				"(at any phase: readiness in 20s to 30s, liveness in 20s to 30s)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := simulated(t, c.manifest, simulatetest.Script(t, c.faults...), simulate.Options{Horizon: c.horizon, EarlyProbes: true})
			state := regexp.MustCompile(`is running, started$|running, started, ready`)
			got := slices.DeleteFunc(textLines(t, r, c.words...), func(s string) bool { return state.MatchString(s) && !slices.Contains(c.want, s) })
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
