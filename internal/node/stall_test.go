package node

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/probe"
)

func TestStallClock(t *testing.T) {
	begin := time.Now()
	at := func(d time.Duration) time.Time { return begin.Add(d) }
	var c stallClock
	if got := c.stalled(at(time.Hour)); got != 0 {
		t.Errorf("without a tick: stalled for %v", got)
	}
	c.tick(at(0))
	c.tick(at(100 * time.Millisecond))
	if got := c.stalled(at(150 * time.Millisecond)); got != 0 {
		t.Errorf("in time: stalled for %v", got)
	}
	if got := c.stalled(at(5200 * time.Millisecond)); got != 5*time.Second {
		t.Errorf("with an overdue tick: stalled for %v, want 5s", got)
	}
	c.tick(at(5200 * time.Millisecond))
	c.tick(at(5300 * time.Millisecond))
	if got := c.stalled(at(5300 * time.Millisecond)); got != 5*time.Second {
		t.Errorf("afterwards: stalled for %v, want 5s", got)
	}
}

func TestStallClockTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c stallClock
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		ticks := 0
		go c.run(ctx, func() { ticks++ })
		time.Sleep(time.Minute + time.Millisecond) // virtual
		synctest.Wait()
		if got := c.stalled(time.Now()); got != 0 {
			t.Errorf("stalled for %v, want 0", got)
		}
		if want := int(time.Minute/stallPeriod) + 1; ticks != want {
			t.Errorf("%d ticks in a minute, want %d", ticks, want)
		}
	})
}

func TestDiscountStall(t *testing.T) {
	failed := probe.Result{Outcome: probe.Failure, Output: "timeout"}
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		result           probe.Result
		latency, stalled time.Duration
		discounted       bool
	}{
		"a time-out":                   {failed, time.Second, 0, false},
		"a time-out in a stall":        {failed, 6 * time.Second, 5 * time.Second, true},
		"a time-out, hardly stalled":   {failed, 1100 * time.Millisecond, 100 * time.Millisecond, false},
		"an answer that came in time":  {failed, 900 * time.Millisecond, 500 * time.Millisecond, false},
		"a success, however late":      {probe.Result{Outcome: probe.Success}, 6 * time.Second, 5 * time.Second, false},
		"an error that has its reason": {probe.Result{Err: broken}, 6 * time.Second, 5 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := discountStall(test.result, test.latency, time.Second, test.stalled)
			if discounted := got.Err != nil && !errors.Is(got.Err, broken); discounted != test.discounted {
				t.Errorf("discountStall = %v, want discounted %v", got, test.discounted)
			}
		})
	}
}
