package node

import "time"

// gridStep is the time to whose multiples the timers of all runners are rounded up, so that Pods
// whose probes are due at about the same time share a wake-up: waking costs more than probing. The
// gap between two attempts stays the period, as both are rounded up alike.
const gridStep = 50 * time.Millisecond

// grid is the instants at which runners wake up by themselves: start, and every gridStep after it.
type grid struct{ start time.Time }

// wait is how long it is from now until the first instant of the grid that is not before at.
func (g grid) wait(at, now time.Time) time.Duration {
	rounded := (at.Sub(g.start) + gridStep - 1).Truncate(gridStep)
	return g.start.Add(rounded).Sub(now)
}
