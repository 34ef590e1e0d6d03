package health

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Hang and stale, once for real: a check passes, then never returns. It fails within its age
// limit, and 1,000 probes over sockets find one goroutine that is held and no further call.
func TestHangForReal(t *testing.T) {
	h := New(Options{ShutdownDelay: -1})
	release := make(chan struct{})
	var calls atomic.Int32
	h.Ready("database", func(context.Context) error {
		if calls.Add(1) > 1 {
			<-release
		}
		return nil
	}, CheckOptions{Period: 50 * time.Millisecond, Timeout: 200 * time.Millisecond, Failures: 3})
	// age limit 500 ms
	end := begin(t, h)
	waitFor(t, func() bool { return calls.Load() == 2 })
	begun := time.Now()
	waitFor(t, func() bool { return !h.OK(Readiness) })
	failed := time.Since(begun)
	server := httptest.NewServer(h.Handler())
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	before := runtime.NumGoroutine()
	for range 1000 {
		response, err := client.Get(server.URL + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 503 {
			t.Fatalf("answer %d", response.StatusCode)
		}
	}
	server.Close()
	waitFor(t, func() bool { return runtime.NumGoroutine() <= before })
	t.Logf("failed after %v, age limit 500ms; %d calls, %d goroutines", failed, calls.Load(), runtime.NumGoroutine())
	if calls.Load() != 2 {
		t.Errorf("%d calls, want 2", calls.Load())
	}
	expect(t, h, "/readyz", 503, "not ready: database stuck\n")
	close(release)
	if err := end(); err != nil {
		t.Error(err)
	}
}

// The flood, once for real: 10,000 probes from 100 clients over sockets make no database call, and
// an application's wait for a slot of the same pool stays what it was.
func TestFloodForReal(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	pool := make(chan struct{}, 10)
	var calls atomic.Int32
	h := New(Options{ShutdownDelay: -1})
	h.Ready("database", func(context.Context) error {
		calls.Add(1)
		pool <- struct{}{}
		defer func() { <-pool }()
		time.Sleep(5 * time.Millisecond)
		return nil
	}, CheckOptions{Period: time.Hour})
	end := begin(t, h)
	waitFor(t, func() bool { return h.OK(Readiness) })
	server := httptest.NewServer(h.Handler())
	defer server.Close()
	alone, _ := application(pool, 300)
	var busy time.Duration
	var full int
	var worker sync.WaitGroup
	worker.Go(func() { busy, full = application(pool, 300) })
	var clients sync.WaitGroup
	begun := time.Now()
	for range 100 {
		clients.Go(func() {
			client := http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for range 100 {
				response, err := client.Get(server.URL + "/readyz")
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	clients.Wait()
	took := time.Since(begun)
	worker.Wait()
	t.Logf("10,000 probes in %v, %d database calls; p99 of the application's wait for a slot %v, %v in the flood", took, calls.Load(), alone, busy)
	if calls.Load() != 1 {
		t.Errorf("%d database calls, want the 1 that came before the probes", calls.Load())
	}
	if full > 0 {
		t.Errorf("the application found the pool full %d times while probes came", full)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// application takes a slot for a millisecond, n times. It returns the p99 of its wait, and how
// often the pool was full.
func application(pool chan struct{}, n int) (p99 time.Duration, full int) {
	waits := make([]time.Duration, n)
	for i := range waits {
		if len(pool) == cap(pool) {
			full++
		}
		begun := time.Now()
		pool <- struct{}{}
		waits[i] = time.Since(begun)
		time.Sleep(time.Millisecond)
		<-pool
	}
	slices.Sort(waits)
	return waits[n*99/100], full
}
