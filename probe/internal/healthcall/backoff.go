package healthcall

import "time"

// How long grpc-go waits between connections, and for one.
const (
	firstPause        = time.Second
	longestPause      = 120 * time.Second
	pauseGrowth       = 1.6
	pauseSpread       = 0.2 // either way
	minConnectTimeout = 20 * time.Second
)

// pause returns how long to wait after a connection that failed: a second, then more and more
// (R93).
func (c *Call) pause() time.Duration {
	if c.retries == 0 {
		return firstPause
	}
	pause := float64(firstPause)
	for range c.retries {
		pause = min(pause*pauseGrowth, float64(longestPause))
	}
	return time.Duration(pause * (1 + pauseSpread*(2*c.random-1)))
}
