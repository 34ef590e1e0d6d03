package node

import (
	"testing"
	"time"
)

func TestGrid(t *testing.T) {
	start := time.Now()
	for name, test := range map[string]struct{ at, now, want time.Duration }{
		"on the grid":              {100 * time.Millisecond, 30 * time.Millisecond, 70 * time.Millisecond},
		"rounded up":               {101 * time.Millisecond, 30 * time.Millisecond, 120 * time.Millisecond},
		"a nanosecond after":       {50*time.Millisecond + 1, 0, 100 * time.Millisecond},
		"due, on the grid":         {50 * time.Millisecond, 50 * time.Millisecond, 0},
		"overdue: at once":         {time.Second, 3 * time.Second, -2 * time.Second},
		"the gap stays the period": {time.Second + 7*time.Millisecond, 50 * time.Millisecond, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (grid{start}).wait(start.Add(test.at), start.Add(test.now)); got != test.want {
				t.Errorf("wait = %v, want %v", got, test.want)
			}
		})
	}
}
