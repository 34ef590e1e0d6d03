package health

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var half = func() float64 { return 0.5 } // no jitter

// begin runs h in the background and returns the function that ends it and hands back Run's error.
func begin(t *testing.T, h *Health) (end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { err = h.Run(ctx) })
	end = sync.OnceValue(func() error { cancel(); wg.Wait(); return err })
	t.Cleanup(func() { _ = end() })
	return end
}

// after lets virtual time pass until everyone is idle.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// ask sends a request as a prober does and returns status and body.
func ask(h *Health, path string) (int, string) {
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// expect fails the test unless a path answers with a status and exactly that body.
func expect(t *testing.T, h *Health, path string, code int, body string) {
	t.Helper()
	if gotCode, gotBody := ask(h, path); gotCode != code || gotBody != body {
		t.Errorf("%s answers %d %q, want %d %q", path, gotCode, gotBody, code, body)
	}
}

// FromAnywhere reveals errors to everybody, for tests.
func FromAnywhere(*http.Request) bool { return true }
