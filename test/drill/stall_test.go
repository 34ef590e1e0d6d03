//go:build drill && exact

package drill

import (
	"fmt"
	"math"
	"testing"
)

const repetitions = 10

// TestStalls: a stall that the numbers bear restarts nothing, one that they cannot bear always
// does, and one between as often as its phases say, each in the repetitions that were predicted.
// The liveness probe of testdata/service.yaml asks each 2 s, waits 1 s and bears two failures: so
// it bears stalls of 5 s and acts on those of 7 s, whatever the phase. It takes ten minutes.
func TestStalls(t *testing.T) {
	b := build(t)
	for _, c := range []struct {
		stall       string
		least, most int
	}{
		{"5s", 0, 0}, {"7s", repetitions, repetitions},
		{"6s", 1, 9}, // 99 % of the draws of ten with the odds 1:1 are among these
	} {
		t.Run(c.stall, func(t *testing.T) {
			all := b.repeated(t, "hang+"+c.stall, repetitions)
			restarted, asPredicted := 0, 0
			for _, r := range all {
				if r.Measured.Killed != nil {
					restarted++
				}
				if (r.Measured.Killed == nil) == (r.Predicted.Killed == nil) {
					asPredicted++
				}
			}
			t.Logf("%d of %d were restarted, %d as predicted", restarted, len(all), asPredicted)
			missing := repetitions - len(all) // those in which this machine was too busy to tell
			if restarted < c.least-missing || restarted > c.most || asPredicted < len(all) {
				t.Errorf("want %d to %d of %d, and all as predicted", c.least, c.most, repetitions)
			}
		})
	}
}

// TestHangs: a hang is acted on when the numbers say at its phase.
func TestHangs(t *testing.T) {
	b := build(t)
	const precision = 0.25
	for _, r := range b.repeated(t, "hang", 3) {
		if r.Measured.Killed == nil || r.Predicted.Killed == nil {
			t.Errorf("at phase %.2f: %+v", r.Phase, r)
			continue
		}
		off := *r.Measured.Killed - *r.Predicted.Killed
		t.Logf("at phase %.2f: %.2f s, predicted %.2f s", r.Phase, *r.Measured.Killed, *r.Predicted.Killed)
		if math.Abs(off) > precision {
			t.Errorf("at phase %.2f it is %.2f s off, want %v at most", r.Phase, off, precision)
		}
	}
}

// repeated drills one fault, and returns the repetitions in which this machine could tell: half of
// them at least.
func (b built) repeated(t *testing.T, fault string, n int) (sound []repetition) {
	t.Helper()
	r := b.drill(t, nil, nil, []string{"GET /"}, "--fault", fault, "--repeat", fmt.Sprint(n))
	if len(r.Results) < 2 {
		t.Fatalf("nothing was tried:\n%s", &r)
	}
	for _, rep := range r.Results[1].Repetitions {
		if !rep.Tainted {
			sound = append(sound, rep)
		}
	}
	if 2*len(sound) < n {
		t.Skip("this machine was too busy to tell")
	}
	return sound
}
