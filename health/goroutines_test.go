package health

import (
	"context"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Nothing is left after Serve, with everything open that the library can open: listeners, the
// heartbeat file, checks, self-checks, drains.
func TestNoGoroutineIsLeft(t *testing.T) {
	waitFor(t, func() bool { return goroutines() == "" }) // of the tests before
	h := New(Options{Addr: "127.0.0.1:0", HeartbeatFile: filepath.Join(t.TempDir(), "heartbeat"), ShutdownDelay: time.Millisecond})
	h.Startup("weights").Done()
	for _, name := range []string{"one", "two", "three"} {
		h.Ready(name, fine, CheckOptions{Period: 5 * time.Millisecond})
	}
	h.Depends("billing", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, CheckOptions{CircuitBreaker: &CircuitBreaker{}})
	h.Live("loop", time.Minute).Beat()
	h.LiveLock("lock", new(sync.Mutex), time.Minute)
	h.LiveScheduler(time.Minute)
	h.LiveListener("port", "127.0.0.1:1", time.Minute)
	h.Drain("queue", fine)
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := h.Serve(ctx, &http.Server{Addr: "127.0.0.1:0", Handler: h.Handler()}); err != nil {
			t.Error(err)
		}
	})
	waitFor(t, func() bool { return h.OK(Readiness) })
	if running := strings.Count(goroutines(), "\n\n"); running < 8 {
		t.Errorf("%d goroutines while it runs: does this test still find them?\n%s", running, goroutines())
	}
	cancel()
	serving.Wait()
	// A goroutine may run its last instructions after it has reported its end.
	waitFor(t, func() bool { return goroutines() == "" })
}

// goroutines returns the stacks of all goroutines that the library, or http.Server for it, has
// started.
func goroutines() string {
	buf := make([]byte, 1<<20)
	var ours strings.Builder
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		_, origin, _ := strings.Cut(stack, "created by ")
		if strings.Contains(origin, "probity/health.") && !strings.Contains(origin, "_test.go") || strings.Contains(origin, "net/http.(*Server)") {
			ours.WriteString(stack + "\n\n")
		}
	}
	return ours.String()
}
