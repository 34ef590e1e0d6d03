package health

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func fine(context.Context) error { return nil }

// Each misuse makes Run return an error that names it, and gives a handle that does nothing.
func TestMisuse(t *testing.T) {
	for name, c := range map[string]struct {
		use  func(h *Health)
		want string
	}{
		"duplicate name":       {func(h *Health) { h.Ready("a", fine); h.Live("a", time.Second).Beat() }, `cannot register "a": the name is taken`},
		"no name":              {func(h *Health) { h.Startup("").Done() }, "it needs a name"},
		"unprintable name":     {func(h *Health) { h.Startup("a\nb").Phase("x") }, "printable"},
		"slash in a name":      {func(h *Health) { h.Startup("a/b").Fail(nil) }, "without a slash"},
		"no function":          {func(h *Health) { h.Ready("a", nil).Report(nil) }, "it has no function"},
		"no drain function":    {func(h *Health) { h.Drain("a", nil) }, "it has no function"},
		"negative period":      {func(h *Health) { h.Ready("a", fine, CheckOptions{Period: -1}).Report(errDown) }, "Period is -1ns, it must not be negative"},
		"negative threshold":   {func(h *Health) { h.Ready("a", fine, CheckOptions{Failures: -1}) }, "Failures is -1"},
		"age below period":     {func(h *Health) { h.Ready("a", fine, CheckOptions{MaxAge: 7 * time.Second}) }, "MaxAge is 7s, it must be longer than Period + Timeout, 7s"},
		"negative breaker":     {func(h *Health) { h.Depends("a", fine, CheckOptions{CircuitBreaker: &CircuitBreaker{Open: -1}}) }, "CircuitBreaker.Open is -1ns"},
		"breaker of the owned": {func(h *Health) { h.Ready("a", fine, CheckOptions{CircuitBreaker: &CircuitBreaker{}}) }, "a CircuitBreaker is for Depends"},
		"two sets of options":  {func(h *Health) { h.Ready("a", fine, CheckOptions{}, CheckOptions{}) }, "it has 2 sets of options"},
		"no limit":             {func(h *Health) { h.Live("a", 0).Idle() }, "the limit is 0s, it must be positive"},
		"negative stall":       {func(h *Health) { h.Startup("a", TaskOptions{Stall: -1}).Progress(1, 2) }, "Stall is -1ns"},
		"no lock":              {func(h *Health) { h.LiveLock("a", nil, time.Second) }, "it has no lock"},
		"a lock that is nil":   {func(h *Health) { var lock *sync.RWMutex; h.LiveLock("a", lock, time.Second) }, "it has no lock"},
		"foreign listener":     {func(h *Health) { h.LiveListener("a", "db.example:5432", time.Second) }, "has to be one that loopback reaches"},
		"negative drain":       {func(h *Health) { h.options.DrainTimeout = -1 }, "cannot use DrainTimeout -1ns"},
	} {
		t.Run(name, func(t *testing.T) {
			h := New(Options{})
			c.use(h)
			err := h.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Run returned %v, want %q", err, c.want)
			}
		})
	}
}

// While Run is under way a mistake cannot end the service any more: it is listed, and the handle
// does nothing.
func TestLateMisuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		end := begin(t, h)
		after(time.Second)
		h.Startup("late").Progress(1, 2)
		h.Ready("", fine).Report(errDown)
		expect(t, h, "/readyz", 200, "ok\n")
		_, body := ask(h, "/readyz?verbose")
		for _, want := range []string{`! cannot register "late": the service has started already`, `! cannot register "": it needs a name`} {
			if !strings.Contains(body, want) {
				t.Errorf("no %q in\n%s", want, body)
			}
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// Checks and heartbeats may come while Run is under way.
func TestLateRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		begin(t, h)
		after(time.Second)
		release := make(chan struct{})
		h.Ready("database", func(context.Context) error { <-release; return nil })
		expect(t, h, "/readyz", 503, "not ready: database pending\n")
		close(release)
		after(time.Millisecond)
		expect(t, h, "/readyz", 200, "ok\n")
		h.LiveLock("lock", new(sync.Mutex), time.Second)
		h.Live("loop", time.Minute)
		after(time.Minute)
		expect(t, h, "/livez", 503, "not live: no heartbeat of loop\n")
	})
}

func TestZeroValueAndAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Health
		expect(t, &h, "/startupz", 503, "not started: Run has not been called\n")
		expect(t, &h, "/readyz", 503, "not ready: Run has not been called\n")
		expect(t, &h, "/livez", 200, "ok\n")
		expect(t, &h, "/livez?verbose", 200, "liveness: ok\n")
		loop, database := h.Live("loop", time.Second), h.Ready("database", fine)
		end := begin(t, &h)
		loop.Beat()
		after(500 * time.Millisecond)
		expect(t, &h, "/readyz", 200, "ok\n")
		if err := end(); err != nil {
			t.Error(err)
		}
		loop.Beat()
		loop.Idle()
		loop.Stop()
		loop.Stop()
		database.Report(nil)
		database.Report(errDown)
		h.Ready("late", fine)
		h.LiveLock("lock", new(sync.Mutex), time.Second)
		time.Sleep(time.Hour)
		expect(t, &h, "/readyz", 503, "stopping\n")
		expect(t, &h, "/livez", 200, "ok\n")
		if err := h.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "it has run already") {
			t.Errorf("a second Run returned %v", err)
		}
	})
	var task *Task
	task.Progress(1, 2)
	task.Done()
	task.Fail(errors.New("x"))
	var check *Check
	check.Report(nil)
	if check.Err() != nil {
		t.Error("a nil Check fails")
	}
	var beat *Heartbeat
	beat.Beat()
	beat.Idle()
	beat.Stop()
}

func TestCheckThatEndsItsGoroutine(t *testing.T) {
	h := New(Options{ShutdownDelay: -1, Reveal: FromAnywhere})
	h.Ready("database", func(context.Context) error { runtime.Goexit(); return nil })
	end := begin(t, h)
	waitFor(t, func() bool {
		_, body := ask(h, "/readyz?verbose")
		return strings.Contains(body, "it ended its goroutine")
	})
	if err := end(); err != nil {
		t.Error(err)
	}
}
