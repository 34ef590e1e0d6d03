//go:build traffic

package traffic

import "time"

// size of the scenarios that prove the point.
func size() runLength {
	return runLength{atLeast: 20 * time.Second, requests: 10_000, slack: 100 * time.Millisecond, timeout: 1, work: 600 * time.Millisecond}
}

// crashes is how many crashes are measured, and maxUntilOut bounds the median.
const (
	crashes     = 15
	maxUntilOut = 5 * time.Millisecond
)

// parallel is how many scenarios run at a time: not so many that requests wait for a processor,
// which this would take for a late decision.
const parallel = 3
