//go:build unix && go1.26

package health

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// interrupt sends this process what Ctrl-C sends.
func interrupt(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

// A second Ctrl-C ends the delay, and a third party's request that hangs; one that comes within
// half a second of the first is the same, as it is now and then even to a process that gets no
// processor for long.
func TestSecondInterrupt(t *testing.T) {
	for name, options := range map[string]Options{
		"in the delay": {ShutdownDelay: time.Minute},
		"in the drain": {ShutdownDelay: -1, DrainTimeout: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			for range 10 {
				if secondInterrupt(t, options) {
					return
				}
			}
			t.Error("one interrupt that came twice ended Serve each time")
		})
	}
}

// secondInterrupt reports false if the first interrupt, which comes twice, ended Serve.
func secondInterrupt(t *testing.T, options Options) bool {
	t.Helper()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	h := New(options)
	h.Drain("obeys", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	release := make(chan struct{})
	defer close(release)
	h.Drain("hangs", func(context.Context) error { <-release; return nil })
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx, &http.Server{Addr: "127.0.0.1:0", Handler: h.Handler()}) }()
	waitFor(t, func() bool { return h.OK(Readiness) })
	interrupt(t)
	waitFor(t, func() bool { return !h.OK(Readiness) })
	interrupt(t) // the same
	time.Sleep(sameSignal + 100*time.Millisecond)
	select {
	case err := <-ended:
		t.Logf("one interrupt that came twice ended Serve: %v", err)
		return false
	default:
	}
	interrupt(t)
	select {
	case err := <-ended:
		if !errors.Is(err, errInterrupted) {
			t.Errorf("Serve returned %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("Serve goes on after the second interrupt")
	}
	return true
}
