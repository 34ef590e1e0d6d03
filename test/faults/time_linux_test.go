package faults

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/test/harness"
)

// fragile are Pods that the first failure of a probe would kill, with one second per attempt.
func fragile(log string) string {
	var pods strings.Builder
	for name, probe := range map[string]string{
		"http": "httpGet: {path: /live, port: http}",
		"slow": "httpGet: {path: /slow, port: http}", // most of the time an attempt is in flight
		"tcp":  "tcpSocket: {port: http}",
		"exec": "exec: {command: [sleep, '0.5']}",
	} {
		probe = "Probe: {" + probe + ", periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 1}\n"
		pods.WriteString(harness.Named(name, `"-answers=/slow=slow:700ms", "-log=`+filepath.Join(log, name)+`"`, harness.Listens+"    liveness"+probe+"    readiness"+probe))
	}
	return pods.String()
}

// TestSuspended stops Probity for seconds, again and again, as the suspension of a machine or a starved processor does. The services go on. No failure
// is counted for the time in which Probity did not look, and what it missed is not made up for.
func TestSuspended(t *testing.T) {
	t.Parallel()
	log := t.TempDir()
	r := harness.Start(t, fragile(log))
	r.WaitPods(4, "ready", harness.Ready)
	const stops, asleep = 3, 3500 * time.Millisecond // longer than a time-out, and several periods
	for range stops {
		before := strings.Count(harness.ReadFile(t, filepath.Join(log, "http")), "GET /live")
		r.Signal(syscall.SIGSTOP)
		time.Sleep(asleep) // this is the fault, not a synchronisation
		r.Signal(syscall.SIGCONT)
		awake := time.Now()
		harness.WaitFor(t, "a check after the sleep", func() bool {
			return strings.Count(harness.ReadFile(t, filepath.Join(log, "http")), "GET /live") >= before+3
		})
		// Two probes with a period of a second: at once, and at most at their ticks.
		got := strings.Count(harness.ReadFile(t, filepath.Join(log, "http")), "GET /live") - before
		if limit := 2*(int(time.Since(awake)/time.Second)+2) + 2; got > limit {
			t.Errorf("%d checks within %v of waking up, want %d at most", got, time.Since(awake), limit)
		}
	}
	checkUnharmed(t, r)
	for _, e := range r.Events(errored) {
		t.Logf("%s: %s", e.InvolvedObject.Name, e.Message)
	}
}
