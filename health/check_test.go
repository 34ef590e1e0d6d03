package health

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	epoch   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	errDown = errors.New("dial tcp 10.1.2.3:5432: connection refused")
)

// at is an instant of the tables, in seconds.
func at(seconds float64) time.Time { return epoch.Add(time.Duration(seconds * float64(time.Second))) }

// A check, driven by hand: each letter is a second in which a run succeeds (.), fails (x) or does
// not happen (-).
func TestCheckThresholds(t *testing.T) {
	for name, c := range map[string]struct {
		options     CheckOptions
		runs, state string // state after each second: o ok, f failing, p pending
	}{
		"first success suffices, first failure too": {CheckOptions{}, ".x.", "ofo"},
		"pending is not ready":                      {CheckOptions{}, "-.", "po"},
		"failures do not hold before success":       {CheckOptions{Failures: 3}, "xxx.", "fffo"},
		"three failures in a row":                   {CheckOptions{Failures: 3}, ".xx.xxx", "oooooof"},
		"two successes in a row":                    {CheckOptions{Successes: 2}, ".x.x..", "offffo"},
		"the first success of all counts alone":     {CheckOptions{Successes: 3}, "x.", "fo"},
	} {
		t.Run(name, func(t *testing.T) {
			check := newCheck("c", Owned, nil, c.options.withDefaults())
			var got strings.Builder
			for i, run := range c.runs {
				now := at(float64(i))
				if run != '-' {
					check.start(now)
					var err error
					if run == 'x' {
						err = errDown
					}
					check.finish(now, result{err: err}, half)
				}
				got.WriteString(check.state(now)[:1])
			}
			if got.String() != c.state {
				t.Errorf("states %q, want %q", got.String(), c.state)
			}
		})
	}
}

func TestCheckAgeLimit(t *testing.T) {
	c := newCheck("c", Owned, nil, CheckOptions{MaxAge: 10 * time.Second}.withDefaults())
	c.start(at(0))
	c.finish(at(0), result{}, half)
	for seconds, want := range map[float64]string{9.999: stateOK, 10: stateStale, 1000: stateStale} {
		if got := c.state(at(seconds)); got != want {
			t.Errorf("%v s after the only result: %s, want %s", seconds, got, want)
		}
	}
	if got := c.deadline(at(60), at(6)); !got.Equal(at(10)) {
		t.Errorf("the next deadline is %v, want when the age limit is reached", got.Sub(epoch))
	}
}

func TestLateSuccessIsAFailure(t *testing.T) {
	c := newCheck("c", Owned, nil, CheckOptions{}.withDefaults())
	c.start(at(0))
	c.finish(at(2.05), result{}, half) // before it is called stuck
	if got := c.state(at(2.05)); got != stateFailing || !strings.Contains(c.err.Error(), "deadline 2s") {
		t.Errorf("state %q, error %v", got, c.err)
	}
	if c.succeeded != 0 || c.failed != 1 {
		t.Errorf("%d successes, %d failures, want 0 and 1", c.succeeded, c.failed)
	}
}

func TestStuckCountsOnce(t *testing.T) {
	c := newCheck("c", Owned, nil, CheckOptions{}.withDefaults())
	c.start(at(0))
	for s := 1.0; s < 10; s++ {
		if c.tick(at(s), half) {
			t.Error("a second run is due while the first is under way")
		}
	}
	if c.failed != 1 {
		t.Errorf("a stuck run counts %d times, want once", c.failed)
	}
	c.finish(at(10), result{err: errDown}, half)
	if c.failed != 1 || !errors.Is(c.err, errDown) {
		t.Errorf("after it returned: %d failures, error %v", c.failed, c.err)
	}
}

func TestJitter(t *testing.T) {
	for random, want := range map[float64]time.Duration{0: 10 * time.Second, 0.5: 9500 * time.Millisecond, 0.999999999: 9 * time.Second} {
		if got := jitter(10*time.Second, func() float64 { return random }).Round(time.Millisecond); got != want {
			t.Errorf("jitter of 10 s with %v is %v, want %v", random, got, want)
		}
	}
}

// The application reports success each second: the check itself need not run, and the reports keep
// its result young.
func TestGoodNewsReplacesRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var runs atomic.Int32
		database := h.Ready("database", func(context.Context) error { runs.Add(1); return nil })
		begin(t, h)
		for range 60 {
			after(time.Second)
			database.Report(nil)
		}
		if runs.Load() != 1 {
			t.Errorf("%d runs in a minute of reported successes, want the first only", runs.Load())
		}
		expect(t, h, "/readyz", 200, "ok\n")
		after(20 * time.Second)
		if runs.Load() < 4 {
			t.Errorf("%d runs, 20 s after the last reported success, want at least 4", runs.Load())
		}
	})
}

// A reported failure makes the check run at once. If that run passes, one failure does not count,
// but a whole period of nothing but failures does.
func TestBadNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var runs atomic.Int32
		database := h.Ready("database", func(context.Context) error { runs.Add(1); return nil })
		begin(t, h)
		after(time.Second)
		database.Report(errDown)
		after(time.Millisecond)
		if runs.Load() != 2 {
			t.Errorf("%d runs right after a reported failure, want 2", runs.Load())
		}
		expect(t, h, "/readyz", 200, "ok\n")
		for range 5 {
			after(time.Second)
			database.Report(errDown)
		}
		expect(t, h, "/readyz", 503, "not ready: database failing\n")
		if err := database.Err(); !errors.Is(err, errDown) || !strings.Contains(err.Error(), "all uses failed for 5") {
			t.Errorf("Err is %v", err)
		}
		if runs.Load() > 14 {
			t.Errorf("%d runs for 6 reports: reported failures must not cause a run each", runs.Load())
		}
		database.Report(nil)
		expect(t, h, "/readyz", 200, "ok\n")
		if err := database.Err(); err != nil {
			t.Errorf("Err is %v after a reported success", err)
		}
	})
}

// Reported failures are forgotten after MaxAge: an unready service gets no requests, so that its
// application cannot report success.
func TestBadNewsIsForgotten(t *testing.T) {
	c := newCheck("c", Owned, nil, CheckOptions{}.withDefaults())
	c.start(at(0))
	c.finish(at(0), result{}, half)
	c.reported(at(1), errDown)
	c.reported(at(6), errDown)
	if got := c.state(at(6)); got != stateFailing {
		t.Errorf("%s after a period of reported failures", got)
	}
	c.start(at(15))
	c.finish(at(15), result{}, half)
	if got := c.state(at(19.999)); got != stateFailing {
		t.Errorf("%s before the reported failures are too old", got)
	}
	if got := c.state(at(20)); got != stateOK {
		t.Errorf("%s when the reported failures are as old as MaxAge", got)
	}
	c.reported(at(60), errDown) // so long after that it counts from the beginning
	if got := c.state(at(15.1)); got != stateOK {
		t.Errorf("%s after a single reported failure", got)
	}
}

func TestPoolSaturated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var inUse atomic.Int32
		inUse.Store(8)
		h.Ready("database", func(ctx context.Context) error {
			if inUse.Load() < 8 {
				return nil
			}
			<-ctx.Done() // waits for a connection, as database/sql does
			return ctx.Err()
		}, CheckOptions{Pool: func() (int, int) { return int(inUse.Load()), 8 }})
		begin(t, h)
		after(4 * time.Second)
		expect(t, h, "/readyz", 503, "not ready: database pool saturated\n")
		expect(t, h, "/livez", 200, "ok\n")
		if _, body := ask(h, "/readyz?verbose"); !strings.Contains(body, "8/8 in use") {
			t.Errorf("no figures of the pool:\n%s", body)
		}
		inUse.Store(3)
		after(6 * time.Second)
		expect(t, h, "/readyz", 200, "ok\n")
	})
}

func TestCheckThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1, Reveal: FromAnywhere})
		h.Ready("database", func(context.Context) error { panic("no driver") })
		h.Ready("pool", func(context.Context) error { return errDown }, CheckOptions{Pool: func() (int, int) { panic("no pool") }})
		begin(t, h)
		after(time.Second)
		expect(t, h, "/readyz", 503, "not ready: database failing, pool failing\n")
		_, body := ask(h, "/readyz?verbose")
		for _, want := range []string{"it panicked: no driver", "it panicked: no pool"} {
			if !strings.Contains(body, want) {
				t.Errorf("no %q in\n%s", want, body)
			}
		}
	})
}

// A check that is removed counts no longer, and its name is free.
func TestRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var calls atomic.Int32
		old := h.Ready("database", func(context.Context) error { calls.Add(1); return errDown })
		hanging := h.Ready("cache", func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Minute); return errDown })
		end := begin(t, h)
		after(time.Second)
		expect(t, h, "/readyz", 503, "not ready: database failing, cache pending\n")
		old.Remove()
		expect(t, h, "/readyz", 503, "not ready: cache pending\n")
		hanging.Remove() // a run is under way
		expect(t, h, "/readyz", 200, "ok\n")
		if code, _ := ask(h, "/readyz/database"); code != 404 {
			t.Errorf("a check that was removed answers %d", code)
		}
		ran := calls.Load()
		after(2 * time.Minute)
		old.Remove()
		old.Report(errDown)
		old.Report(nil)
		old.Replace(fine)
		after(time.Minute)
		if old.Err() != nil || calls.Load() != ran {
			t.Errorf("a check that was removed has the error %v, and ran %d times after that", old.Err(), calls.Load()-ran)
		}
		expect(t, h, "/readyz", 200, "ok\n")
		h.Ready("database", fine)
		after(time.Millisecond)
		expect(t, h, "/readyz", 200, "ok\n")
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// A check gets another function without a moment of being unready, and what the old one returns
// after that does not count.
func TestReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		release := make(chan struct{})
		first := true
		database := h.Ready("database", func(context.Context) error {
			if first {
				first = false
				return nil
			}
			<-release
			return errDown
		})
		end := begin(t, h)
		after(6 * time.Second) // the second run is under way
		var calls atomic.Int32
		database.Replace(func(context.Context) error { calls.Add(1); return nil })
		expect(t, h, "/readyz", 200, "ok\n")
		after(time.Second)
		if calls.Load() != 1 {
			t.Errorf("the new function ran %d times, want at once", calls.Load())
		}
		close(release)
		after(time.Minute)
		expect(t, h, "/readyz", 200, "ok\n")
		database.Replace(func(context.Context) error { return errDown })
		after(time.Millisecond)
		expect(t, h, "/readyz", 503, "not ready: database failing\n")
		database.Replace(nil)
		if _, body := ask(h, "/readyz?verbose"); !strings.Contains(body, `! cannot replace "database": it has no function`) {
			t.Errorf("no mistake in\n%s", body)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}
