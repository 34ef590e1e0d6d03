package node

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/probe"
)

func TestPulse(t *testing.T) {
	begin := time.Now()
	at := func(d time.Duration) time.Time { return begin.Add(d) }
	var p pulse
	if got := p.heldUp(at(time.Hour)); got != 0 {
		t.Errorf("without a beat: held up for %v", got)
	}
	p.beat(at(0))
	p.beat(at(100 * time.Millisecond))
	if got := p.heldUp(at(150 * time.Millisecond)); got != 0 {
		t.Errorf("in time: held up for %v", got)
	}
	if got := p.heldUp(at(5200 * time.Millisecond)); got != 5*time.Second {
		t.Errorf("with an overdue beat: held up for %v, want 5s", got)
	}
	p.beat(at(5200 * time.Millisecond))
	p.beat(at(5300 * time.Millisecond))
	if got := p.heldUp(at(5300 * time.Millisecond)); got != 5*time.Second {
		t.Errorf("afterwards: held up for %v, want 5s", got)
	}
}

func TestPulseBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pulse
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		go p.run(ctx, func() {})
		time.Sleep(time.Hour) // virtual
		if got := p.heldUp(time.Now()); got != 0 {
			t.Errorf("held up for %v, want 0", got)
		}
	})
}

func TestExcuse(t *testing.T) {
	failed := probe.Result{Outcome: probe.Failure, Output: "timeout"}
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		result        probe.Result
		latency, held time.Duration
		excused       bool
	}{
		"a time-out":                   {failed, time.Second, 0, false},
		"a time-out while held up":     {failed, 6 * time.Second, 5 * time.Second, true},
		"a time-out hardly held up":    {failed, 1100 * time.Millisecond, 100 * time.Millisecond, false},
		"an answer that came in time":  {failed, 900 * time.Millisecond, 500 * time.Millisecond, false},
		"a success, however late":      {probe.Result{Outcome: probe.Success}, 6 * time.Second, 5 * time.Second, false},
		"an error that has its reason": {probe.Result{Err: broken}, 6 * time.Second, 5 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := excuse(test.result, test.latency, time.Second, test.held)
			if excused := got.Err != nil && !errors.Is(got.Err, broken); excused != test.excused {
				t.Errorf("excuse = %v, want excused %v", got, test.excused)
			}
		})
	}
}
