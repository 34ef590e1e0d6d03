package generator

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// testServer counts requests and connections.
type testServer struct {
	*httptest.Server
	connections atomic.Int64
	mu          sync.Mutex // guards seen
	seen        map[string]string
}

func newTestServer(t *testing.T, answer http.HandlerFunc) *testServer {
	s := &testServer{seen: map[string]string{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		id := r.Header.Get("X-Request-Id")
		if err != nil || string(body) != map[string]string{http.MethodPost: id}[r.Method] {
			t.Errorf("%s %s with body %q, %v", r.Method, id, body, err)
		}
		s.mu.Lock()
		if _, twice := s.seen[id]; twice {
			t.Errorf("%s came twice", id)
		}
		s.seen[id] = r.Method
		s.mu.Unlock()
		answer(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// count is how many requests came so far with one of the methods.
func (s *testServer) count(methods ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, method := range s.seen {
		if slices.Contains(methods, method) {
			n++
		}
	}
	return n
}

// run sends requests until n have ended, or a few more.
func run(t *testing.T, opts Options, n int64) *Report {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var over atomic.Int64
	opts.Observe = func(Request) {
		if over.Add(1) >= n {
			stop()
		}
	}
	report, err := Run(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	if int64(report.Requests) != over.Load() || int64(report.Requests) < n {
		t.Errorf("%d requests, %d observed, want %d", report.Requests, over.Load(), n)
	}
	return report
}

func TestKeepsConnections(t *testing.T) {
	s := newTestServer(t, func(http.ResponseWriter, *http.Request) {})
	report := run(t, Options{URL: s.URL, Clients: 8, Posts: 0.25}, 800)
	if len(report.Failures) > 0 || s.connections.Load() != 8 || s.count(http.MethodGet, http.MethodPost) != report.Requests {
		t.Errorf("%v; %d connections, %d requests seen", report, s.connections.Load(), s.count(http.MethodGet, http.MethodPost))
	}
	if share := float64(s.count(http.MethodPost)) / float64(report.Requests); share < 0.22 || share > 0.28 {
		t.Errorf("a share of %v are POST requests, want 0.25", share)
	}
	if p50, longest := report.Quantile(0.5), report.Quantile(1); p50 <= 0 || p50 > longest {
		t.Errorf("p50 %v, longest %v", p50, longest)
	}
}

func TestMakesNewConnections(t *testing.T) {
	s := newTestServer(t, func(http.ResponseWriter, *http.Request) {})
	report := run(t, Options{URL: s.URL, Clients: 4, NewConnections: true}, 100)
	if len(report.Failures) > 0 || s.connections.Load() != int64(report.Requests) {
		t.Errorf("%v; %d connections", report, s.connections.Load())
	}
}

// TestCountsFailures has servers that answer with errors, break off or refuse connections. Each of
// these is one failure of one request.
func TestCountsFailures(t *testing.T) {
	for want, answer := range map[string]http.HandlerFunc{
		"status 503": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		},
		"status 302": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) },
		"connection broken": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(want, func(t *testing.T) {
			s := newTestServer(t, answer)
			report := run(t, Options{URL: s.URL, Clients: 2, Posts: 0.5}, 10)
			if report.FailuresByCause()[want] != report.Requests || len(report.Failures) != report.Requests || s.count(http.MethodGet, http.MethodPost) != report.Requests {
				t.Errorf("%v, want only %s; seen %d", report, want, s.count(http.MethodGet, http.MethodPost))
			}
			if want == "status 503" && report.Failures[0].Body != "not ready\n" {
				t.Errorf("body = %q", report.Failures[0].Body)
			}
		})
	}
	t.Run("connection refused", func(t *testing.T) {
		s := newTestServer(t, func(http.ResponseWriter, *http.Request) {})
		s.Close()
		if report := run(t, Options{URL: s.URL, Clients: 2}, 4); report.FailuresByCause()["connection refused"] != report.Requests {
			t.Error(report)
		}
	})
}

// TestTimeout gives up on a server that does not answer.
func TestTimeout(t *testing.T) {
	s := newTestServer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	report := run(t, Options{URL: s.URL, Clients: 1, Timeout: 50 * time.Millisecond}, 1)
	if len(report.Failures) != 1 || !strings.Contains(report.Failures[0].String(), "i/o timeout") {
		t.Error(report)
	}
}

func TestRate(t *testing.T) {
	s := newTestServer(t, func(http.ResponseWriter, *http.Request) {})
	if report := run(t, Options{URL: s.URL, Clients: 4, Rate: 200}, 60); report.Duration < 250*time.Millisecond {
		t.Errorf("%v, want no more than 200 per second", report)
	}
}

func TestOptionsThatCannotBeUsed(t *testing.T) {
	for _, opts := range []Options{{}, {URL: "https://127.0.0.1"}, {URL: "127.0.0.1:80"}, {URL: "http://127.0.0.1", Posts: 1.5}, {URL: "http://127.0.0.1", Posts: -1}} {
		if _, err := Run(t.Context(), opts); err == nil {
			t.Errorf("%+v: no error", opts)
		}
	}
}
