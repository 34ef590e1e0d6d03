package engine_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/engine"
	"github.com/probity-run/probity/probe/internal/probetest"
)

// TestEvery: the first attempt comes after the phase, and each later one is due at a whole number
// of periods after it (R7). Attempts may be late on a busy machine, but are never early.
func TestEvery(t *testing.T) {
	const period, phase = 50 * time.Millisecond, 30 * time.Millisecond
	e := newEngine(t)
	p := probetest.Serve(t, probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	reports := make(chan engine.Report, 100)
	begin := time.Now()
	stop := e.Every(probe.HTTPGet{Port: p.Port, Timeout: ample}, period, phase, func(r engine.Report) { reports <- r })
	for n := range 5 {
		r := <-reports
		if due := begin.Add(phase + time.Duration(n)*period); r.Began.Before(due) {
			t.Errorf("attempt %d began %v early", n, due.Sub(r.Began))
		}
		if r.Outcome != probe.Success || r.Output != "ok" || r.Took <= 0 {
			t.Errorf("report = %+v, want success", r)
		}
	}
	stop()
}

// TestEveryRemembersOneTick holds an attempt over several ticks: the next follows at once, and only
// one (R10).
func TestEveryRemembersOneTick(t *testing.T) {
	t.Parallel()
	// so long that a busy machine does not let the attempt that follows at once look like one of
	// the next tick
	const period = 2 * time.Second
	e := newEngine(t)
	var running, attempts atomic.Int32
	p := proberFunc(func(ctx context.Context) probe.Result {
		if running.Add(1) > 1 {
			t.Error("attempts overlap")
		}
		defer running.Add(-1)
		if attempts.Add(1) == 1 {
			time.Sleep(2*period + period/10) // an attempt that takes this long
		}
		return probe.Result{Outcome: probe.Success}
	})
	reports := make(chan engine.Report, 100)
	begin := time.Now()
	stop := e.Every(p, period, 0, func(r engine.Report) { reports <- r })
	defer stop()
	first, second, third := <-reports, <-reports, <-reports
	if gap := second.Began.Sub(first.Began.Add(first.Took)); gap > 3*period/4 {
		t.Errorf("the missed tick was made up for after %v, want at once", gap)
	}
	if next := begin.Add(3 * period); third.Began.Before(next) {
		t.Errorf("another attempt followed %v before the next tick", next.Sub(third.Began))
	}
}

// TestStop: no report begins after stop has returned, whether from outside or from a report.
func TestStop(t *testing.T) {
	e := newEngine(t)
	for name, p := range silent(t) {
		t.Run("attempt running/"+name, func(t *testing.T) {
			stop := e.Every(p, time.Second, 0, func(r engine.Report) { t.Errorf("report after stop: %v", r.Result) })
			if !stop() {
				t.Error("a report was being made, want none")
			}
		})
	}
	t.Run("within a report", func(t *testing.T) {
		var stop func() bool
		var reports atomic.Int32
		ready, stopped := make(chan struct{}), make(chan bool, 1)
		stop = e.Every(probe.TCPSocket{Port: probetest.RefusedPort(t)}, time.Millisecond, 0, func(engine.Report) {
			<-ready
			reports.Add(1)
			stopped <- stop()
		})
		close(ready)
		if <-stopped {
			t.Error("stop within a report says that none is being made")
		}
		flush(e)
		if n := reports.Load(); n != 1 {
			t.Errorf("%d reports, want 1", n)
		}
	})
}

// flush returns when the loop has handled what was asked for before, and what was due in the next
// 50 ms.
func flush(e *engine.Engine) {
	done := make(chan struct{})
	e.Every(proberFunc(func(context.Context) probe.Result { return probe.Result{} }), time.Hour, 50*time.Millisecond,
		func(engine.Report) { close(done) })
	<-done
}

// TestManySchedules runs some hundred and looks at how many of the attempts that were due were
// made.
func TestManySchedules(t *testing.T) {
	const targets, period, rounds = 300, 200 * time.Millisecond, 3
	e := newEngine(t)
	p := probetest.Serve(t, probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	get := e.Prepare(probe.HTTPGet{Port: p.Port, Timeout: ample})
	var missing atomic.Int32
	missing.Store(targets)
	all := make(chan struct{})
	for i := range targets {
		var n int
		stop := e.Every(get, period, engine.Phase(fmt.Sprint("pod-", i), period), func(r engine.Report) {
			if r.Outcome != probe.Success {
				t.Errorf("report = %+v, want success", r)
			}
			if n++; n == rounds && missing.Add(-1) == 0 {
				close(all)
			}
		})
		defer stop()
	}
	select {
	case <-all:
	case <-time.After(ample):
		t.Errorf("%d of %d targets were not probed %d times within %v", missing.Load(), targets, rounds, ample)
	}
}

func TestPhaseSpreads(t *testing.T) {
	const names, buckets = 10000, 100
	var count [buckets]int
	for i := range names {
		phase := engine.Phase(fmt.Sprintf("default/web-%d/app/liveness", i), 10*time.Second)
		count[phase*buckets/(10*time.Second)]++
	}
	for bucket, n := range count {
		if n < names/buckets/2 || n > names/buckets*2 {
			t.Errorf("%d of %d phases in bucket %d, want about %d", n, names, bucket, names/buckets)
		}
	}
	if phase := engine.Phase("a", 0); phase != 0 {
		t.Errorf("phase of no period = %v, want 0", phase)
	}
}
