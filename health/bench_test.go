package health

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// writer is a ResponseWriter that costs next to nothing.
type writer struct {
	header http.Header
	code   int
}

func (w *writer) Header() http.Header  { return w.header }
func (w *writer) WriteHeader(code int) { w.code = code }

func (w *writer) Write(b []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	return len(b), nil
}

// probeRequest is what the kubelet sends (R53).
func probeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/readyz", nil)
	r.Header = http.Header{"User-Agent": {"kube-probe/1.36"}, "Accept": {"*/*"}, "Connection": {"close"}}
	return r
}

// prerendered is the least that a correct handler can do: the same headers, a body behind an atomic
// pointer.
func prerendered() http.Handler {
	var body atomic.Pointer[[]byte]
	text := []byte("ok\n")
	body.Store(&text)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header["Content-Type"] = textPlain
		header["Cache-Control"] = noStore
		w.WriteHeader(200)
		_, _ = w.Write(*body.Load())
	})
}

func bare() http.Handler {
	ok := []byte("ok")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(ok) })
}

// withChecks runs a service with n checks that pass.
func withChecks(tb testing.TB, n int) *Health {
	h := New(Options{ShutdownDelay: -1})
	for i := range n {
		h.Ready(fmt.Sprintf("check %d", i), func(context.Context) error { return nil })
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = h.Run(ctx) })
	tb.Cleanup(func() { cancel(); wg.Wait() })
	for !h.OK(Readiness) {
		runtime.Gosched()
	}
	return h
}

func benchmarkHandler(b *testing.B, handler http.Handler) {
	w, r := &writer{header: http.Header{}}, probeRequest()
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(w, r)
	}
}

// BenchmarkAnswer compares the answer to a probe with a bare handler and with a body behind an
// atomic pointer.
func BenchmarkAnswer(b *testing.B) {
	b.Run("bare", func(b *testing.B) { benchmarkHandler(b, bare()) })
	b.Run("prerendered", func(b *testing.B) { benchmarkHandler(b, prerendered()) })
	for _, n := range []int{1, 5, 50, 200} {
		b.Run(fmt.Sprintf("checks=%d", n), func(b *testing.B) { benchmarkHandler(b, withChecks(b, n).Handler()) })
	}
}

func BenchmarkAnswerParallel(b *testing.B) {
	handler := withChecks(b, 5).Handler()
	b.RunParallel(func(pb *testing.PB) {
		w, r := &writer{header: http.Header{}}, probeRequest()
		for pb.Next() {
			handler.ServeHTTP(w, r)
		}
	})
}

func BenchmarkVerbose(b *testing.B) {
	handler := withChecks(b, 5).Handler()
	w, r := &writer{header: http.Header{}}, probeRequest()
	r.URL.RawQuery = "verbose"
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(w, r)
	}
}

func BenchmarkBeat(b *testing.B) {
	loop := New(Options{}).Live("loop", time.Minute)
	for b.Loop() {
		loop.Beat()
	}
}

// BenchmarkReport is what a reported success costs the application.
func BenchmarkReport(b *testing.B) {
	h := New(Options{ShutdownDelay: -1})
	database := h.Ready("database", func(context.Context) error { return nil })
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = h.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	for !h.OK(Readiness) {
		runtime.Gosched()
	}
	b.ReportAllocs()
	for b.Loop() {
		database.Report(nil)
	}
}

// An answer allocates nothing, and holds no lock: it comes while somebody else has the lock.
func TestAnswerCostsNothing(t *testing.T) {
	h := withChecks(t, 50)
	handler, w, r := h.Handler(), &writer{header: http.Header{}}, probeRequest()
	if got := testing.AllocsPerRun(1000, func() { handler.ServeHTTP(w, r) }); got != 0 {
		t.Errorf("%v allocations per answer, want 0", got)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	handler.ServeHTTP(w, r)
	if w.code != 200 {
		t.Errorf("answer %d", w.code)
	}
}
