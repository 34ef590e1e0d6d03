//go:build !race

package simulate

import (
	"fmt"
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

// TestClosedFormsAgreeWithTheSimulation is the promise of ±1 % for the time to detect and the time
// to be ready. TestFalseRestartsAgreeWithTheSimulation is that for restarts.
func TestClosedFormsAgreeWithTheSimulation(t *testing.T) {
	for _, c := range [][3]int{{10, 1, 3}, {5, 2, 2}, {10, 5, 6}, {20, 10, 1}, {5, 10, 3}} {
		p, to, f := c[0], c[1], c[2]
		timing := closedForm{timing.Probe{Period: time.Duration(p) * time.Second, Timeout: time.Duration(to) * time.Second, Failures: f}}
		t.Run(fmt.Sprintf("5.1 detect %d/%d/%d", p, to, f), func(t *testing.T) {
			for fault, want := range map[string]Span{"hang@60s": timing.DetectHang(), "refuse@60s": timing.DetectFailing()} {
				m := many(t, livenessOf(p, to, f), ManyOptions{Runs: 1000, Horizon: 4 * time.Minute}, fault)
				within(t, fault, time.Duration(m.Detect.Mean).Seconds(), time.Duration(want.Mean).Seconds())
				if m.Undetected != 0 || m.Detect.Max > want.Worst || m.Detect.P50 < want.Best {
					t.Errorf("%s: %d undetected, p50 %v, max %v, want within %v", fault, m.Undetected, m.Detect.P50, m.Detect.Max, want)
				}
			}
		})
	}
	t.Run("5.4 ready", func(t *testing.T) {
		sc := simulatetest.Script(t)
		startup := script.Distribution{Shape: script.Uniform, A: 10 * time.Second, B: 50 * time.Second}
		sc.Programs["web"] = script.Program{Startup: startup, Before: script.Reply{Kind: script.ReplyRefused}, Latency: script.Fixed(5 * time.Millisecond)}
		text := simulatetest.PodWith("startupProbe: {httpGet: {path: /, port: http}, periodSeconds: 4, failureThreshold: 60}\n" +
			"readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 5, successThreshold: 3}")
		m, err := RunMany(simulatetest.Objects(t, text), sc, ManyOptions{Runs: 5000 * thoroughly, Horizon: 2 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		// startup succeeds at the first tick from the start-up's end on, half a period later on
		// average; readiness is probed at once and wants three successes, a period apart (R103)
		want := startup.Mean() + 4*time.Second/2 + 2*5*time.Second
		within(t, "ready", time.Duration(m.Ready.Mean).Seconds(), want.Seconds())
	})
}
