package dashboard

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
)

// crowd makes so many Pods, each with two probes whose attempts fill their strips.
func (f *fixture) crowd(t testing.TB, pods int) {
	t.Helper()
	for n := range pods {
		pod := f.pod(t, fmt.Sprintf("web-7d9c6b5f4-%05d", n))
		past := f.recorder.Add(pod.UID)
		for _, kind := range []string{"Readiness", "Liveness"} {
			probe := past.Probe(history.Key{Container: "app", Type: kind}, history.Probing{SuccessThreshold: 1, FailureThreshold: 3})
			for i := range 300 {
				past.Attempt(probe, history.Attempt{Time: noon.Add(time.Duration(i-300) * time.Second), Took: time.Millisecond, Run: i, Result: history.Passing}, history.Detail{Status: 200, Body: "ok"})
			}
		}
	}
}

// BenchmarkPodsPage is the page of 200 Pods with two probes each.
func BenchmarkPodsPage(b *testing.B) {
	f := newFixture(b)
	f.crowd(b, 200)
	for b.Loop() {
		w := f.ask(http.MethodGet, "/ui/pods", header("Accept-Encoding", "gzip"))
		b.ReportMetric(float64(w.Body.Len()), "bytes")
	}
}

// BenchmarkBeat is what a second costs while somebody looks at 200 Pods, two attempts of each.
func BenchmarkBeat(b *testing.B) {
	f := newFixture(b)
	f.crowd(b, 200)
	leave, _ := f.hub.join()
	defer leave()
	w := &hubWork{hub: f.hub, look: newLook(), marks: map[types.UID]string{}, figures: map[string]map[string]string{}}
	w.tell(b.Context(), true)
	for b.Loop() {
		w.tell(b.Context(), false)
	}
}

// TestFirstPage: what a browser loads first is small, also of a large run.
func TestFirstPage(t *testing.T) {
	f := newFixture(t)
	f.crowd(t, 100)
	size := f.ask(http.MethodGet, "/ui/pods", header("Accept-Encoding", "gzip")).Body.Len()
	for _, file := range f.files().files {
		size += len(file.zipped)
	}
	if size > 100<<10 {
		t.Errorf("the first page has %d bytes: the budget is 100 KiB", size)
	}
	t.Logf("%d bytes", size)
}
