package health

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCircuitBreaker(t *testing.T) {
	// 15 s, then 15 s open and 30 s trial, in turn; half of 45 s is the spread
	b := circuitBreaker{options: CircuitBreaker{}.withDefaults()}
	for _, step := range []struct {
		second  float64
		passing bool
		open    bool
	}{
		{0, true, false}, {1, false, false}, {38, false, false}, {38.5, false, true}, {53.4, false, true}, {53.5, false, false},
		{83.4, false, false}, {83.5, false, true}, {84, true, false}, {85, false, false}, {122, false, false}, {122.5, false, true},
	} {
		b.observe(step.passing, at(step.second), half)
		if b.open() != step.open {
			t.Errorf("%v s: open %t, want %t", step.second, b.open(), step.open)
		}
	}
}

// An outage of a dependency does not make all replicas unready: of a thousand about a third is, at
// any time.
func TestCircuitBreakersOfReplicasDoNotKeepStep(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)).Float64
	replicas := make([]circuitBreaker, 1000)
	for i := range replicas {
		replicas[i].options = CircuitBreaker{}.withDefaults()
	}
	most := 0
	for second := range 600 {
		open := 0
		for i := range replicas {
			replicas[i].observe(false, at(float64(second)), random)
			if replicas[i].open() {
				open++
			}
		}
		most = max(most, open)
	}
	t.Logf("at most %d of 1,000 replicas were unready at one time", most)
	if most > 420 || most < 250 {
		t.Errorf("at most %d of 1,000 replicas were unready at one time, want about a third", most)
	}
}

func TestDependency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var up atomic.Bool
		ping := func(context.Context) error {
			if !up.Load() {
				return errDown
			}
			return nil
		}
		h.Depends("billing", ping)
		h.Depends("mail", ping, CheckOptions{CircuitBreaker: &CircuitBreaker{After: 10 * time.Second, Open: time.Hour, HalfOpen: time.Millisecond}})
		begin(t, h)
		after(time.Second)
		expect(t, h, "/readyz", 200, "ok\ndegraded: billing failing, mail failing\n")
		expect(t, h, "/readyz/billing", 503, "failing\n")
		after(2 * time.Hour)
		expect(t, h, "/readyz", 503, "not ready: mail failing\n")
		up.Store(true)
		after(6 * time.Second)
		expect(t, h, "/readyz", 200, "ok\n")
	})
}
