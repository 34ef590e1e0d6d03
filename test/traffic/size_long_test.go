//go:build traffic

package traffic

import "time"

// size of the scenarios that prove the point.
func size() length {
	return length{atLeast: 20 * time.Second, requests: 10_000, slack: 100 * time.Millisecond}
}

// crashes are measured, and leaves bounds their median.
const (
	crashes = 15
	leaves  = 5 * time.Millisecond
)
