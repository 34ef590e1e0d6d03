package traffic

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/load/generator"
)

// TestFailover measures how fast a replica leaves the routes, on an otherwise idle machine: the
// other tests of this package wait until it is over.
func TestFailover(t *testing.T) {
	r := begin(t, newWeb(t))
	var seen []time.Duration
	report := r.underLoad(generator.Options{Rate: 1000}, runLength{atLeast: size().atLeast / 2}, func(until time.Time) {
		for first := true; first || time.Now().Before(until); first = false {
			scenarios["readiness"].do(r)
			seen = append(seen, r.crash())
		}
	})
	logs := r.checkRouting(size().slack)
	r.checkFailures(logs, report.Failures, func(q generator.Request) bool { return q.Method == http.MethodPost })
	worst, decisions := lastWhileNotReady(logs)
	t.Logf("from the deciding answer of a readiness probe to the last request: %v at worst of %d", worst, decisions)
	t.Logf("from SIGKILL until it is known that the replica is not ready: %v", seen)
	if worst > max(time.Second, size().slack) {
		t.Errorf("a replica that was not ready got requests for %v", worst)
	}
}

// crash kills a replica and returns how long it took until probity printed that it is not ready.
func (r *rig) crash() time.Duration {
	r.t.Helper()
	pod := r.next()
	before := len(r.run.Changes())
	pid := r.signal(pod, syscall.SIGKILL)
	r.waitPod(pod.Name, "restarted", func(p *corev1.Pod) bool { return harness.Ready(p) && harness.PIDOf(r.t, p, "app") != pid })
	for _, c := range r.run.Changes()[before:] {
		if c.Pod != nil && c.Pod.Name == pod.Name && !harness.Ready(c.Pod) {
			return c.Read.Sub(r.killed[pid])
		}
	}
	r.t.Error("no change says that the replica was not ready")
	return 0
}
