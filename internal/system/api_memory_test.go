package system

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestNoteUse: scrapes keep no memory from being given back, but the first one is followed by it.
func TestNoteUse(t *testing.T) {
	notes, served := 0, 0
	handler := noteUse(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }), func() { notes++ })
	for i, step := range []struct {
		path string
		want int // notes so far
	}{
		{"/api/v1/pods", 2}, {"/metrics", 4}, {"/metrics", 4}, {"/metrics/probes", 4}, {"/api/v1/pods", 6}, {"/metrics", 6}, {"/metricsx", 8},
	} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, step.path, nil))
		if notes != step.want || served != i+1 {
			t.Errorf("after step %d, %s: %d notes, %d served, want %d, %d", i, step.path, notes, served, step.want, i+1)
		}
	}
}

// TestReleaseAfter: memory is given back once after each burst of requests, and not in one.
func TestReleaseAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		used := make(chan struct{}, 1)
		var released atomic.Int32
		done := make(chan struct{})
		go func() {
			defer close(done)
			releaseAfter(ctx, used, func() { released.Add(1) })
		}()
		expect := func(want int32, when string) {
			t.Helper()
			synctest.Wait()
			if got := released.Load(); got != want {
				t.Errorf("released %d times %s, want %d", got, when, want)
			}
		}
		time.Sleep(time.Hour)
		expect(0, "before anybody asked")
		for range 100 {
			used <- struct{}{}
			time.Sleep(quietTime / 2)
		}
		expect(0, "while somebody asks")
		time.Sleep(time.Hour)
		expect(1, "after it")
		used <- struct{}{}
		time.Sleep(quietTime + time.Second)
		expect(2, "after one more")
		cancel()
		<-done
	})
}
