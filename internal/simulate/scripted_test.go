package simulate

import (
	"testing"
	"time"

	"github.com/probity-run/probity/internal/simulate/script"
)

// TestFinished is work that stalls: it makes no progress during windows, however many there are.
func TestFinished(t *testing.T) {
	stalls := func(every, lasts time.Duration) []*faultSchedule {
		f := &script.Fault{Kind: script.FaultHang, At: new(script.Fixed(every)), Every: new(script.Fixed(every)), For: new(script.Fixed(lasts))}
		return []*faultSchedule{newFaultSchedule(f, 0, "web", 0, 1)}
	}
	for _, c := range []struct {
		name            string
		stalls          []*faultSchedule
		at, work, until time.Duration // seconds
		want            time.Duration
	}{
		{"nothing stalls", nil, 3, 2, 100, 5},
		{"before the stall", stalls(10*time.Second, 4*time.Second), 3, 2, 100, 5},
		{"into the stall", stalls(10*time.Second, 4*time.Second), 9, 2, 100, 15},
		{"in the stall", stalls(10*time.Second, 4*time.Second), 12, 2, 100, 16},
		{"over two stalls", stalls(10*time.Second, 4*time.Second), 9, 8, 100, 25},
		{"beyond the limit", stalls(10*time.Second, 4*time.Second), 11, 2, 12, 14},
	} {
		if got := finished(c.stalls, c.at*time.Second, c.work*time.Second, c.until*time.Second); got != c.want*time.Second {
			t.Errorf("%s: done at %v, want %v s", c.name, got, int64(c.want))
		}
	}
}
