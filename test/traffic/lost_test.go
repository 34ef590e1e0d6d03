package traffic

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/load/generator"
)

// TestExitsAtOnce rolls out a service that exits at once on SIGTERM. The requests that it had begun
// to answer are lost, and Events say how many they are.
func TestExitsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.Term, w.Answers = "exit:0", "/work=slow:"+size().work.String()
	r := begin(t, w)
	report := r.underLoad(generator.Options{Posts: 0.5, Clients: 192}, size(), func(until time.Time) {
		const most = 5 // until something is lost
		for n := 0; n == 0 || time.Now().Before(until) || n < most && saidLost(r) == 0; n++ {
			rollOut(r)
		}
	})
	logs := r.checkRouting(size().slack)
	broken := map[string]bool{}
	for _, l := range logs {
		for _, id := range l.unanswered() {
			broken[id] = true
		}
	}
	r.checkFailures(logs, report.Failures, func(q generator.Request) bool {
		unread := len(processesThatGot(logs, q.ID)) == 0 // by a replica that got it and SIGTERM together
		return q.Method == http.MethodPost && (broken[q.ID] || unread)
	})
	// an Event comes when the replica's end is known, and is read when the client knows already
	harness.Within(harness.Timeout, func() bool { return saidLost(r) == len(report.Failures) })
	if said := saidLost(r); said != len(report.Failures) {
		t.Errorf("Events say that %d requests were lost, clients lost %d", said, len(report.Failures))
	}
	for _, e := range r.run.Events("RequestsLost") {
		if n := lostBy(e); n == 0 || !strings.HasSuffix(e.Message, "exited on SIGTERM; "+lossSuffix(n)) {
			t.Errorf("Event %q", e.Message)
		}
	}
	if len(report.Failures) == 0 {
		t.Error("no request was in flight when a replica exited, so this proved nothing")
	}
}

// saidLost is how many requests were lost, by the Events so far.
func saidLost(r *rig) (n int) {
	for _, e := range r.run.Events("RequestsLost") {
		n += lostBy(e)
	}
	return n
}

// lostBy is how many lost requests an Event tells of, 0 if it tells of none.
func lostBy(e *corev1.Event) (n int) {
	_, _ = fmt.Sscanf(e.Message, "%d request", &n)
	return n
}

func lossSuffix(n int) string {
	if n == 1 {
		return "it would be lost on a cluster too"
	}
	return "they would be lost on a cluster too"
}

// TestDeletion takes the Deployment out of the manifest, puts it back, and in the end interrupts
// Probity. A request that was sent before the deletion is answered. One that comes later goes to a
// terminating replica as long as there is one (R198); after that its client is told why there is no
// answer, as long as there is a listener. A replica that ends may break off a request that it just
// got, and then there is no other replica.
func TestDeletion(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.Term, w.Answers = "graceful", "/work=slow:300ms" // one that lingers gets requests, and may
	r := begin(t, w)
	var deleted, restored, interrupted time.Time
	report := r.underLoad(generator.Options{Posts: 0.3}, size(), func(time.Time) {
		r.waitRequests(100)
		deleted = time.Now()
		r.save(func(w *web) { w.Gone = true })
		r.waitReady(0)
		r.save(func(w *web) { w.Gone = false })
		r.waitReady(3)
		restored = time.Now()
		n := r.completed()
		r.waitRequests(n + 100)
		interrupted = time.Now()
		r.run.Interrupt()
		if code := r.run.Exit(); code != 0 {
			t.Errorf("exit code = %d, want 0", code)
		}
		r.ended = true
	})
	logs := r.checkRouting(size().slack)
	r.checkFailures(logs, report.Failures, func(q generator.Request) bool {
		return q.Sent.After(interrupted) || q.Sent.After(deleted.Add(-size().linger)) && q.Sent.Before(restored.Add(size().slack)) && gotReason(q)
	})
	if !slices.ContainsFunc(report.Failures, gotReason) {
		t.Error("no client was told why no replica answered")
	}
}

// gotReason reports whether a client was told why no replica answered.
func gotReason(q generator.Request) bool {
	return q.Err == nil && (q.Status == http.StatusServiceUnavailable || q.Status == http.StatusBadGateway) &&
		strings.HasPrefix(q.Body, "Service default/web, port ")
}
