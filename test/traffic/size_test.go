//go:build !traffic

package traffic

import "time"

// size of the scenarios in the normal suite: each is done once. Nothing here depends on how fast
// the machine is.
func size() runLength {
	return runLength{atLeast: time.Second, requests: 200, slack: 2 * time.Second, linger: 2 * time.Second, timeout: 5, work: 3 * time.Second}
}

// crashes is how many crashes are measured, and maxUntilOut bounds the median. On a machine that
// does other things as well, this shows only that the replica is taken out of rotation at all.
const (
	crashes     = 1
	maxUntilOut = 10 * time.Second
)

// parallel is how many scenarios run at a time.
const parallel = 4
