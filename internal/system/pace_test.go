package system

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestPace plays changes in virtual time: "200r" is a reading after 200 ms, "1600s" a settled one.
func TestPace(t *testing.T) {
	every := func(from, to, step int) (changes []int) {
		for at := from; at <= to; at += step {
			changes = append(changes, at)
		}
		return changes
	}
	for name, test := range map[string]struct {
		changes []int // ms
		want    string
	}{
		"none":                        {nil, ""},
		"one":                         {[]int{0}, "200r 1500s"},
		"the steps of an editor":      {[]int{0, 30, 90}, "290r 1590s"},
		"in two steps":                {[]int{0, 190}, "390r 1690s"},
		"in pieces":                   {[]int{0, 400, 800}, "200r 600r 1000r 2300s"},
		"in pieces, slowly":           {[]int{0, 1400}, "200r 1600r 2900s"},
		"two saves":                   {[]int{0, 3000}, "200r 1500s 3200r 4500s"},
		"without a pause":             {every(0, 2000, 10), "800r 1610r 2200r 3500s"},
		"without a pause for long":    {every(0, 900, 50), "800r 1100r 2400s"},
		"just before it would settle": {[]int{0, 1499}, "200r 1699r 2999s"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			var p pace
			var got []string
			for ms := range 6000 {
				now := start.Add(time.Duration(ms) * time.Millisecond)
				if len(test.changes) > 0 && test.changes[0] == ms {
					p.change(now)
					test.changes = test.changes[1:]
				}
				if read, settled := p.due(now); settled {
					got = append(got, fmt.Sprintf("%ds", ms))
				} else if read {
					got = append(got, fmt.Sprintf("%dr", ms))
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
			if next := p.next(); !next.IsZero() {
				t.Errorf("not at rest: next at %v", next.Sub(start))
			}
		})
	}
}
