package timing

import (
	"testing"
	"time"
)

// TestWorkedValues are P/T/F with the stall that is tolerated and the one that is certain to act,
// in seconds.
func TestWorkedValues(t *testing.T) {
	for _, c := range []struct{ p, t, f, tolerated, certain int }{
		{10, 1, 3, 21, 31}, {5, 2, 2, 7, 12}, {10, 5, 6, 55, 65}, {20, 10, 1, 10, 30}, {5, 10, 3, 30, 35},
	} {
		probe := Probe{Period: time.Duration(c.p) * time.Second, Timeout: time.Duration(c.t) * time.Second, Failures: c.f}
		tolerated, certain := time.Duration(c.tolerated)*time.Second, time.Duration(c.certain)*time.Second
		if probe.Tolerated() != tolerated || probe.Certain() != certain {
			t.Errorf("%+v: %v and %v, want %v and %v", probe, probe.Tolerated(), probe.Certain(), tolerated, certain)
		}
		if low, middle, high := probe.ActsOn(tolerated), probe.ActsOn((tolerated+certain)/2), probe.ActsOn(certain); low != 0 || middle != 0.5 || high != 1 {
			t.Errorf("%+v acts with probabilities %v, %v, %v", probe, low, middle, high)
		}
	}
}

func TestStart(t *testing.T) {
	probe := Probe{Delay: 5 * time.Second, Period: 10 * time.Second, Timeout: time.Second, Failures: 3}
	for hang, want := range map[bool]time.Duration{false: 25 * time.Second, true: 26 * time.Second} {
		if safe, fatal := probe.StartSafe(hang), probe.StartFatal(hang); safe != want || fatal != want+10*time.Second {
			t.Errorf("hang %v: safe %v, fatal %v", hang, safe, fatal)
		}
		if got := probe.CutShort(want+2500*time.Millisecond, hang); got != 0.25 {
			t.Errorf("hang %v: cut short with probability %v", hang, got)
		}
	}
}
