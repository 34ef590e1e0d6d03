package lifecycle

import "time"

// BackoffLimited says that restarts have to come soon for a while, as in a drill: from now on the
// crash-loop back-off is one of its own, capped at Max. With a Max of 0 that time is over, and the
// back-off is again what it was before, as if nothing had been restarted meanwhile. A cluster knows
// no such thing.
type BackoffLimited struct{ Max time.Duration }

func (BackoffLimited) event() {}

func (p *Pod) onBackoffLimited(limit time.Duration) {
	for c := range p.containers() {
		c.limitBackoff(limit)
	}
}

// limitBackoff gives a container a back-off for a while, or its own again. What waits for a retry
// asks the other one at once.
func (c *container) limitBackoff(limit time.Duration) {
	switch {
	case limit > 0 && c.ownBackoff == nil:
		c.ownBackoff, c.backoff = new(c.backoff), Backoff{Max: limit}
	case limit > 0:
		c.backoff.Max = limit
	case c.ownBackoff != nil:
		c.backoff, c.ownBackoff = *c.ownBackoff, nil
	default:
		return
	}
	c.retryAt = time.Time{}
}
