package drill

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
)

// TestPredictionIsSimulates holds the arithmetic to simulate, which plays the kubelet's rules: over
// all phases the earliest and the latest decision are the same, and a stall makes a probe act at
// some phase, at every one or at none, as it does there.
func TestPredictionIsSimulates(t *testing.T) {
	for _, p := range []struct{ period, timeout, failures int }{{3, 1, 3}, {2, 1, 1}, {1, 1, 4}, {2, 5, 2}, {10, 1, 3}} {
		for _, stall := range []string{"", "+2500ms", "+8s", "+40s"} {
			t.Run(fmt.Sprintf("%d-%d-%d%s", p.period, p.timeout, p.failures, stall), func(t *testing.T) {
				result := simulated(t, p.period, p.timeout, p.failures, "hang@100s"+stall)
				probe := ticks{Probe: Probe{Period: Offset(p.period) * second, Timeout: Offset(p.timeout) * second, Failures: p.failures}, last: time.Unix(1000, 0)}
				length := forever
				if stall != "" {
					length, _ = script.ParseDuration(stall[1:])
				}
				least, most, never := math.Inf(1), math.Inf(-1), false
				for offset := time.Duration(0); offset < time.Duration(p.period)*time.Second; offset += 10 * time.Millisecond {
					after, acts := probe.actsOnStall(probe.last.Add(offset), length)
					if never = never || !acts; acts {
						least, most = min(least, after.Seconds()), max(most, after.Seconds())
					}
				}
				if acts := !math.IsInf(least, 0); acts != (result.Detected.Least != nil) || never != (result.Detected.Most == nil) {
					t.Fatalf("acts at some phase %v, at every one %v; simulate: %v", acts, !never, result.Detected)
				} else if !acts {
					return
				}
				if d := least - float64(*result.Detected.Least); math.Abs(d) > 0.05 {
					t.Errorf("the earliest is %v, simulate's %v", least, result.Detected)
				}
				if !never && math.Abs(most-float64(*result.Detected.Most)) > 0.05 {
					t.Errorf("the latest is %v, simulate's %v", most, result.Detected)
				}
			})
		}
	}
}

func simulated(t *testing.T, period, timeout, failures int, fault string) *simulate.AnyPhase {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app.yaml")
	pod := fmt.Sprintf(`apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: web
      livenessProbe: {httpGet: {path: /, port: 80}, periodSeconds: %d, timeoutSeconds: %d, failureThreshold: %d}
`, period, timeout, failures)
	if err := os.WriteFile(file, []byte(pod), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := manifest.Load(manifest.Options{}, file)
	if err != nil {
		t.Fatal(err)
	}
	s := &script.Script{}
	if err := s.ParseFault(fault); err != nil {
		t.Fatal(err)
	}
	any, err := simulate.Sweep(set.Objects, s, simulate.Options{Horizon: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return any
}

func TestPhases(t *testing.T) {
	last := time.Unix(1000, 0)
	probe := ticks{Probe: Probe{Period: 3 * second, Timeout: second, Failures: 3}, last: last}
	for i, want := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond} {
		now := last.Add(7100 * time.Millisecond) // 1.1 s behind an attempt
		at := probe.beginAt(now, phaseFor(i+1, 3))
		if at.Before(now) || at.Sub(now) > 3*time.Second || at.Sub(last)%(3*time.Second) != want {
			t.Errorf("repetition %d begins %v after an attempt, %v from now, want %v", i+1, at.Sub(last)%(3*time.Second), at.Sub(now), want)
		}
		if got := probe.phaseOf(at); math.Abs(got-phaseFor(i+1, 3)) > 1e-9 {
			t.Errorf("phase %v, want %v", got, phaseFor(i+1, 3))
		}
	}
}

func TestPredict(t *testing.T) {
	last := time.Unix(1000, 0)
	readiness := &ticks{Probe{Period: 2 * second, Timeout: second, Failures: 1}, last}
	liveness := &ticks{Probe{Period: 3 * second, Timeout: second, Failures: 3}, last.Add(500 * time.Millisecond)}
	m := predict(readiness, liveness, last.Add(1500*time.Millisecond), forever, 5*time.Second)
	// attempts of readiness at 2 s, of liveness at 3.5, 6.5 and 9.5 s
	if m.Unready == nil || *m.Unready != *seconds(1.5) || m.Killed == nil || *m.Killed != *seconds(9) || *m.Replaced != *seconds(14) {
		t.Errorf("unready %v, killed %v, replaced %v", m.Unready, m.Killed, m.Replaced)
	}
	m = predict(nil, liveness, last.Add(1500*time.Millisecond), forever, 5*time.Second)
	if m.Unready == nil || *m.Unready != *m.Replaced {
		t.Errorf("without a readiness probe it is unready when it has ended: %v", m.Unready)
	}
	m = predict(readiness, nil, last, 500*time.Millisecond, 0)
	if m.Unready != nil || m.Killed != nil {
		t.Errorf("a stall that is over in time: %+v", m)
	}
}
