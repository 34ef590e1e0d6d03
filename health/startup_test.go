package health

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStartup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		weights, cache := h.Startup("weights"), h.Startup("cache")
		expect(t, h, "/startupz", 503, "not started: Run has not been called\n")
		begin(t, h)
		after(time.Millisecond)
		expect(t, h, "/startupz", 503, "starting: weights; cache\n")
		expect(t, h, "/readyz", 503, "starting\n")
		expect(t, h, "/livez", 200, "ok\n")
		weights.Phase("reading")
		after(10 * time.Second)
		weights.Progress(120, 400)
		after(time.Second)
		expect(t, h, "/startupz", 503, "starting: weights: reading, 120/400 (30%), 10.9/s, 26s left; cache\n")
		cache.Done()
		expect(t, h, "/startupz", 503, "starting: weights: reading, 120/400 (30%), 10.9/s, 26s left\n")
		weights.Done()
		expect(t, h, "/startupz", 200, "ok\n")
		expect(t, h, "/readyz", 200, "ok\n")
		weights.Fail(errors.New("too late")) // it latches
		weights.Progress(1, 2)
		after(time.Minute)
		expect(t, h, "/startupz", 200, "ok\n")
	})
}

// Slow progress for an hour is fine; 30 s without any end the run.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		weights := h.Startup("weights", TaskOptions{Stall: 30 * time.Second})
		end := begin(t, h)
		for i := range 120 {
			after(29 * time.Second)
			weights.Progress(int64(i+1), 1000)
		}
		expectCode(t, h, "/startupz", 503)
		if _, body := ask(h, "/startupz"); strings.Contains(body, "stalled") {
			t.Errorf("slow progress is a stall: %s", body)
		}
		begun := time.Now()
		for h.OK(Liveness) && time.Since(begun) < time.Minute {
			after(time.Second)
			weights.Progress(120, 1000) // no progress
			if h.Report(Startup).Reason == "stopping" {
				break
			}
		}
		if took := time.Since(begun); took < 30*time.Second || took > 32*time.Second {
			t.Errorf("the stall is noticed after %v, want 30 s", took)
		}
		if err := end(); err == nil || !strings.Contains(err.Error(), "cannot start: weights: 120/1000 (12%)") || !strings.Contains(err.Error(), "no progress for 30s") {
			t.Errorf("Run returned %v", err)
		}
	})
}

func TestTaskThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		damaged := errors.New("damaged")
		h.Startup("weights").Fail(damaged)
		begun := time.Now()
		if err := h.Run(t.Context()); !errors.Is(err, damaged) {
			t.Errorf("Run returned %v", err)
		}
		if took := time.Since(begun); took > 0 {
			t.Errorf("Run took %v: a service that never was ready has no traffic to wait for", took)
		}
		expectCode(t, h, "/startupz", 503)
	})
}
