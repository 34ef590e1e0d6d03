package health

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The scenarios are what published libraries get wrong.

// Hang: a check blocks and ignores its context. 1,000 probes meanwhile cost nothing, one goroutine
// is held, the check is named.
func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		release := make(chan struct{})
		var calls, now, most atomic.Int32
		h.Ready("database", func(context.Context) error {
			calls.Add(1)
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			<-release
			return nil
		})
		end := begin(t, h)
		after(time.Second)
		before := runtime.NumGoroutine()
		for range 1000 {
			time.Sleep(5 * time.Millisecond)
			expectCode(t, h, "/readyz", http.StatusServiceUnavailable)
		}
		after(10 * time.Second)
		if got := runtime.NumGoroutine(); got > before {
			t.Errorf("%d goroutines after 1,000 probes of a stuck check, %d before", got, before)
		}
		if calls.Load() != 1 || most.Load() != 1 {
			t.Errorf("%d calls, %d at once, want 1 and 1", calls.Load(), most.Load())
		}
		expect(t, h, "/readyz", 503, "not ready: database stuck\n")
		if _, body := ask(h, "/readyz?verbose"); !strings.Contains(body, "running 16s, deadline 2s") {
			t.Errorf("the stuck check is not named with its age:\n%s", body)
		}
		close(release)
		after(6 * time.Second) // the late answer does not count, the next run does
		expect(t, h, "/readyz", 200, "ok\n")
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// Stale: a check passes once and then never returns. It fails at its deadline, and with a
// threshold within its age limit.
func TestStale(t *testing.T) {
	for name, c := range map[string]struct {
		failures int
		fails    time.Duration // after the beginning
		body     string
	}{
		"threshold 1": {1, 5*time.Second + 2*time.Second + slack, "not ready: database stuck\n"},
		"threshold 3": {3, 14 * time.Second, "not ready: database stuck\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := New(Options{ShutdownDelay: -1})
				release := make(chan struct{})
				first := true
				h.Ready("database", func(context.Context) error {
					if !first {
						<-release
					}
					first = false
					return nil
				}, CheckOptions{Failures: c.failures})
				begin(t, h)
				defer close(release)
				after(4 * time.Second)
				expect(t, h, "/readyz", 200, "ok\n")
				time.Sleep(c.fails - 4*time.Second - 600*time.Millisecond) // a tenth of 5 s is jitter
				expect(t, h, "/readyz", 200, "ok\n")
				after(600 * time.Millisecond)
				expect(t, h, "/readyz", 503, c.body)
			})
		})
	}
}

// Flood: probes never reach a resource, so its users do not notice them.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var calls atomic.Int32
		h.Ready("database", func(context.Context) error { calls.Add(1); return nil })
		begin(t, h)
		after(time.Second)
		var clients sync.WaitGroup
		for range 100 {
			clients.Go(func() {
				for range 100 {
					expectCode(t, h, "/readyz", 200)
				}
			})
		}
		clients.Wait()
		if calls.Load() != 1 {
			t.Errorf("10,000 probes made %d database calls, want the 1 that was made before", calls.Load())
		}
	})
}

// 1,000 probes at once, at the moment when the first check is under way, see that one check.
func TestConcurrentProbesMakeOneCheck(t *testing.T) {
	h := New(Options{ShutdownDelay: -1})
	var calls atomic.Int32
	begun, release := make(chan struct{}), make(chan struct{})
	h.Ready("database", func(context.Context) error {
		if calls.Add(1) == 1 {
			close(begun)
		}
		<-release
		return nil
	})
	end := begin(t, h)
	<-begun
	var clients sync.WaitGroup
	for range 1000 {
		clients.Go(func() {
			expectCode(t, h, "/readyz", 503)
		})
	}
	clients.Wait()
	close(release)
	waitFor(t, func() bool { return h.OK(Readiness) })
	if err := end(); err != nil {
		t.Error(err)
	}
	if calls.Load() != 1 {
		t.Errorf("1,000 probes made %d checks, want 1", calls.Load())
	}
}

// A database that is away for 10 s: unready within a period, ready within two after its return,
// live throughout.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var down atomic.Bool
		const period = 5 * time.Second
		h.Ready("database", func(context.Context) error {
			if down.Load() {
				return errors.New("connection refused")
			}
			return nil
		})
		h.Live("loop", time.Hour)
		begin(t, h)
		after(12 * time.Second)
		down.Store(true)
		after(period)
		expect(t, h, "/readyz", 503, "not ready: database failing\n")
		expect(t, h, "/livez", 200, "ok\n")
		after(10*time.Second - period)
		down.Store(false)
		after(2 * period)
		expect(t, h, "/readyz", 200, "ok\n")
	})
}

func expectCode(t *testing.T, h *Health, path string, code int) {
	t.Helper()
	if got, _ := ask(h, path); got != code {
		t.Errorf("%s answers %d, want %d", path, got, code)
	}
}

// waitFor waits for a condition in real time, on a machine that may be very busy.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	const patience = time.Minute
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the condition did not come true within %v", patience)
		}
	}
}
