//go:build !race

package simulate

import (
	"testing"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
	"github.com/probity-run/probity/internal/timing"
)

// TestFalseRestartsAgreeWithTheSimulation is the promise of ±1 % for false restarts by stalls and
// by independent failures. Months are simulated, which takes a minute with the race detector.
func TestFalseRestartsAgreeWithTheSimulation(t *testing.T) {
	t.Run("5.7 stalls", func(t *testing.T) {
		m := many(t, livenessOf(5, 1, 2), ManyOptions{Runs: 60 * thoroughly, Horizon: 120 * script.Day, Replicas: 1}, "gc-stall=8s/2h")
		within(t, "stalls", float64(m.Stalls[0].Correlated.Simulated), float64(m.Stalls[0].Correlated.Closed))
	})
	t.Run("5.6 independent failures", func(t *testing.T) {
		sc := simulatetest.Script(t)
		sc.Programs["web"] = script.Program{Before: script.Reply{Kind: script.ReplyRefused}, Latency: script.Fixed(5 * time.Millisecond), Failures: 0.05}
		m, err := RunMany(simulatetest.Objects(t, livenessOf(30, 1, 2)), sc, ManyOptions{Runs: 100 * thoroughly, Horizon: 30 * script.Day, Replicas: 1})
		if err != nil {
			t.Fatal(err)
		}
		within(t, "independent", float64(m.FalseRestarts), closedForm{timing.Probe{Period: 30 * time.Second, Failures: 2}}.FalseIndependent(0.05, 30*script.Day))
	})
}
