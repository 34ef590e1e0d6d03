package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	sundheit "github.com/AppsFlyer/go-sundheit"
	"github.com/AppsFlyer/go-sundheit/checks"
	sundheithttp "github.com/AppsFlyer/go-sundheit/http"
	alexliesenfeld "github.com/alexliesenfeld/health"
	etherlabs "github.com/etherlabsio/healthcheck"
	hellofresh "github.com/hellofresh/health-go/v5"
	heptiolabs "github.com/heptiolabs/healthcheck"
	"github.com/probity-run/probity/health"
	"google.golang.org/grpc/codes"
	grpchealth "google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

func pass(context.Context) error { return nil }

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("check-%d", i))
	}
	return all
}

// library makes a handler that answers a readiness probe, with n checks that pass, and what ends
// it.
type library struct {
	name string
	path string // that it answers at
	make func(b *testing.B, n int) (handler http.Handler, end func())
}

func nothing() {}

// probity runs a service with n checks that pass.
func probity(b *testing.B, n int) (h *health.Health, end func()) {
	h = health.New(health.Options{ShutdownDelay: -1})
	for _, name := range names(n) {
		h.Ready(name, pass)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	return h, func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}

// heptio runs checks in the background, which is the fastest that the library can do. Its handler
// knows the path as /ready.
func heptio(n int) (h heptiolabs.Handler, end func()) {
	h = heptiolabs.NewHandler()
	ctx, cancel := context.WithCancel(context.Background())
	for _, name := range names(n) {
		h.AddReadinessCheck(name, heptiolabs.AsyncWithContext(ctx, func() error { return nil }, time.Second))
	}
	return h, cancel
}

var libraries = []library{
	{"bare handler", "/readyz", func(*testing.B, int) (http.Handler, func()) {
		ok := []byte("ok")
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(ok) }), nothing
	}},
	// the least that a correct answer costs
	{"pre-rendered body and headers", "/readyz", func(*testing.B, int) (http.Handler, func()) {
		var body atomic.Pointer[[]byte]
		body.Store(new([]byte("ok\n")))
		plain, noStore := []string{"text/plain; charset=utf-8"}, []string{"no-store"}
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			header := w.Header()
			header["Content-Type"] = plain
			header["Cache-Control"] = noStore
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(*body.Load())
		}), nothing
	}},
	{"probity", "/readyz", func(b *testing.B, n int) (http.Handler, func()) {
		h, end := probity(b, n)
		return h.Handler(), end
	}},
	// one endpoint, mounted by itself
	{"probity, Readyz", "/readyz", func(b *testing.B, n int) (http.Handler, func()) {
		h, end := probity(b, n)
		return http.HandlerFunc(h.Readyz), end
	}},
	// the question that grpc-go's Check answers, without an answer over HTTP
	{"probity, OK", "/readyz", func(b *testing.B, n int) (http.Handler, func()) {
		h, end := probity(b, n)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !h.OK(health.Readiness) {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}), end
	}},
	{"heptiolabs async", "/ready", func(b *testing.B, n int) (http.Handler, func()) {
		h, end := heptio(n)
		return h, end
	}},
	{"heptiolabs async, ReadyEndpoint", "/ready", func(b *testing.B, n int) (http.Handler, func()) {
		h, end := heptio(n)
		return http.HandlerFunc(h.ReadyEndpoint), end
	}},
	{"etherlabs", "/readyz", func(b *testing.B, n int) (http.Handler, func()) {
		var options []etherlabs.Option
		for _, name := range names(n) {
			options = append(options, etherlabs.WithChecker(name, etherlabs.CheckerFunc(pass)))
		}
		return etherlabs.Handler(options...), nothing
	}},
	{"controller-runtime", "/readyz", func(b *testing.B, n int) (http.Handler, func()) {
		all := map[string]healthz.Checker{}
		for _, name := range names(n) {
			all[name] = healthz.Ping
		}
		return http.StripPrefix("/readyz", &healthz.Handler{Checks: all}), nothing
	}},
	{"alexliesenfeld periodic", "/readyz", func(b *testing.B, n int) (http.Handler, func()) {
		var options []alexliesenfeld.CheckerOption
		for _, name := range names(n) {
			options = append(options, alexliesenfeld.WithPeriodicCheck(time.Second, 0, alexliesenfeld.Check{Name: name, Check: pass}))
		}
		checker := alexliesenfeld.NewChecker(options...)
		return alexliesenfeld.NewHandler(checker), checker.Stop
	}},
	{"go-sundheit", "/readyz", func(b *testing.B, n int) (http.Handler, func()) {
		h := sundheit.New()
		for _, name := range names(n) {
			err := h.RegisterCheck(&checks.CustomCheck{CheckName: name, CheckFunc: func(context.Context) (any, error) { return nil, nil }},
				sundheit.ExecutionPeriod(time.Second))
			if err != nil {
				b.Fatal(err)
			}
		}
		return sundheithttp.HandleHealthJSON(h), h.DeregisterAll
	}},
	{"hellofresh", "/readyz", func(b *testing.B, n int) (http.Handler, func()) {
		h, err := hellofresh.New()
		for _, name := range names(n) {
			if err == nil {
				err = h.Register(hellofresh.Config{Name: name, Check: pass})
			}
		}
		if err != nil {
			b.Fatal(err)
		}
		return h.Handler(), nothing
	}},
	{"grpc-go health server, Check", "/readyz", func(b *testing.B, n int) (http.Handler, func()) {
		s := grpchealth.NewServer()
		for _, name := range names(n) {
			s.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
		}
		request := &healthpb.HealthCheckRequest{}
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if _, err := s.Check(r.Context(), request); status.Code(err) != codes.OK {
				b.Error(err)
			}
		}), s.Shutdown
	}},
}

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

// headers are lent to one answer after the other and are empty each time, as with net/http. They
// are emptied while the clock stands still: that is a quarter of what a short answer costs.
type headers struct {
	all  [64]http.Header
	used int
}

func (h *headers) next(b *testing.B) http.Header {
	if h.used--; h.used < 0 {
		b.StopTimer()
		for i := range h.all {
			if h.all[i] == nil {
				h.all[i] = http.Header{}
			}
			clear(h.all[i])
		}
		h.used = len(h.all) - 1
		b.StartTimer()
	}
	return h.all[h.used]
}

func BenchmarkProbe(b *testing.B) {
	for _, n := range []int{1, 5, 50} {
		for _, l := range libraries {
			b.Run(fmt.Sprintf("checks=%d/%s", n, l.name), func(b *testing.B) {
				handler, end := l.make(b, n)
				defer end()
				r := httptest.NewRequest(http.MethodGet, l.path, nil)
				r.Header = http.Header{"User-Agent": {"kube-probe/1.36"}, "Accept": {"*/*"}, "Connection": {"close"}}
				untilReady(b, handler, r)
				var w writer
				var fresh headers
				b.ReportAllocs()
				for b.Loop() {
					w.header = fresh.next(b)
					handler.ServeHTTP(&w, r)
				}
			})
		}
	}
}

// untilReady waits for the first results of those that check in the background.
func untilReady(b *testing.B, handler http.Handler, r *http.Request) {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code == 200 {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("it answers %d: %s", w.Code, w.Body)
		}
	}
}
