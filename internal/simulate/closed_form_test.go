package simulate

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
	"github.com/probity-run/probity/internal/timing"
)

// TestWorkedValues is the table of the rules: P/T/F, the time to detect what fails at once and what
// hangs, the tolerated stall, the certain kill.
func TestWorkedValues(t *testing.T) {
	for _, c := range []struct {
		p, t, f                      int
		failing, hang                [3]float64
		tolerated, certain, retained float64
	}{
		{10, 1, 3, [3]float64{20, 25, 30}, [3]float64{21, 26, 31}, 21, 31, 0},
		{5, 2, 2, [3]float64{5, 7.5, 10}, [3]float64{7, 9.5, 12}, 7, 12, 0},
		{10, 5, 6, [3]float64{50, 55, 60}, [3]float64{55, 60, 65}, 55, 65, 0},
		{20, 10, 1, [3]float64{0, 10, 20}, [3]float64{10, 20, 30}, 10, 30, 0},
		{5, 10, 3, [3]float64{10, 12.5, 15}, [3]float64{30, 32.5, 35}, 30, 35, 0},
	} {
		timing := closedForm{timing.Probe{Period: time.Duration(c.p) * time.Second, Timeout: time.Duration(c.t) * time.Second, Failures: c.f}}
		name := fmt.Sprintf("%d/%d/%d", c.p, c.t, c.f)
		if got := inSeconds(timing.DetectFailing()); got != c.failing {
			t.Errorf("%s: detects failures in %v, want %v", name, got, c.failing)
		}
		if got := inSeconds(timing.DetectHang()); got != c.hang {
			t.Errorf("%s: detects a hang in %v, want %v", name, got, c.hang)
		}
		if got := timing.Tolerated().Seconds(); got != c.tolerated {
			t.Errorf("%s: tolerates %v, want %v", name, got, c.tolerated)
		}
		if timing.ActsOn(timing.Tolerated()) != 0 || timing.ActsOn(time.Duration(c.certain)*time.Second) != 1 {
			t.Errorf("%s: acts on the tolerated stall, or not on %v s", name, c.certain)
		}
	}
}

func inSeconds(s Span) [3]float64 {
	return [3]float64{time.Duration(s.Best).Seconds(), time.Duration(s.Mean).Seconds(), time.Duration(s.Worst).Seconds()}
}

// TestFalseActionsTable is the expected number of false actions in 30 days of 100 replicas, P = 10
// s, by p and F.
func TestFalseActionsTable(t *testing.T) {
	for _, c := range []struct {
		p    float64
		want map[int]float64
	}{
		{0.1, map[int]float64{1: 2.3e6, 2: 2.3e5, 3: 2.3e4, 4: 2.3e3, 6: 23}},
		{0.01, map[int]float64{1: 2.6e5, 2: 2.6e3, 3: 26, 4: 0.26, 6: 2.6e-5}},
		{0.001, map[int]float64{1: 2.6e4, 2: 26, 3: 0.026, 4: 2.6e-5}},
	} {
		for f, want := range c.want {
			got := 100 * closedForm{timing.Probe{Period: 10 * time.Second, Failures: f}}.FalseIndependent(c.p, 30*script.Day)
			// the table is rounded to two digits, and for p = 0.1, F = 1 it subtracts restarts
			if math.Abs(got/want-1) > 0.13 {
				t.Errorf("p = %g, F = %d: %.3g, want %.2g", c.p, f, got, want)
			}
		}
	}
}

// TestExponentialStalls is the closed form's own check: λ = 1/h, μ = 8 s, defaults: 0.992 a
// script.Day, and the integral agrees with the numeric one.
func TestExponentialStalls(t *testing.T) {
	timing := closedForm{timing.Probe{Period: 10 * time.Second, Timeout: time.Second, Failures: 3}}
	stall := script.Distribution{Shape: script.Exponential, A: 8 * time.Second}
	if got := timing.FalseStalls(time.Hour, stall, script.Day); math.Abs(got-0.992) > 0.0005 {
		t.Errorf("%.4f a script.Day, want 0.992", got)
	}
	if numeric := stall.Expect(timing.ActsOn); math.Abs(numeric/timing.ActsOnDraw(stall)-1) > 0.001 {
		t.Errorf("the numeric integral is %g, the closed one %g", numeric, timing.ActsOnDraw(stall))
	}
}

// livenessOf is a Pod with a liveness probe of these numbers.
func livenessOf(period, timeout, failures int) string {
	return simulatetest.PodWith(fmt.Sprintf("livenessProbe: {httpGet: {path: /, port: http}, periodSeconds: %d, timeoutSeconds: %d, failureThreshold: %d}", period, timeout, failures))
}

// within holds a simulated figure to that of the closed form: ±1 %.
func within(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got/want-1) > 0.01 {
		t.Errorf("%s: simulated %.5g, closed form %.5g: %.2f %% off", what, got, want, 100*(got/want-1))
	}
}

func many(t *testing.T, text string, opts ManyOptions, faults ...string) *Many {
	t.Helper()
	m, err := RunMany(simulatetest.Objects(t, text), simulatetest.Script(t, faults...), opts)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestNeighbours: 8 % of the stalls that come each 6 min on average have the next one within the 30
// s of three periods; with it runs see more than twice as many false restarts as the closed form.
func TestNeighbours(t *testing.T) {
	timing := closedForm{timing.Probe{Period: 10 * time.Second, Timeout: time.Second, Failures: 3}}
	every := script.Distribution{Shape: script.Exponential, A: 6 * time.Minute}
	got := timing.neighbours(&every)
	if got.Within != Offset(30*time.Second) || math.Abs(float64(got.Share)-0.08) > 0.001 || got.Caveat == "" {
		t.Errorf("neighbours = %+v, want 8 %% within 30s", got)
	}
	closed := 100 * timing.FalseStalls(every.A, script.Distribution{Shape: script.Exponential, A: 2 * time.Second}, 30*script.Day)
	if math.Abs(closed-3.94) > 0.01 {
		t.Errorf("closed form = %v, want 3.94", closed)
	}
	if got := timing.neighbours(new(script.Fixed(time.Hour))); got.Share != 0 {
		t.Errorf("neighbours of stalls each hour = %+v, want none", got)
	}
}
