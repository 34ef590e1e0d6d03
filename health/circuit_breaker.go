package health

import "time"

// CircuitBreaker lets an outage of a dependency make this replica unready, for part of the time.
// When the check has failed for After, it opens at a moment that is random within the next Open +
// HalfOpen. Then the replica is unready for Open, ready for HalfOpen, and so on until the check
// passes, which closes it at once. So in an outage only a share of about Open / (Open + HalfOpen)
// of the replicas is unready at any time, and callers get the errors and fallbacks of this service
// rather than no service at all. Zero fields mean their defaults.
type CircuitBreaker struct {
	After    time.Duration // default 15 s
	Open     time.Duration // default 15 s
	HalfOpen time.Duration // default 30 s
}

func (b CircuitBreaker) withDefaults() CircuitBreaker {
	if b.After == 0 {
		b.After = 15 * time.Second
	}
	if b.Open == 0 {
		b.Open = 15 * time.Second
	}
	if b.HalfOpen == 0 {
		b.HalfOpen = 30 * time.Second
	}
	return b
}

func (b CircuitBreaker) problems() []error {
	return []error{optional("CircuitBreaker.After", b.After), optional("CircuitBreaker.Open", b.Open), optional("CircuitBreaker.HalfOpen", b.HalfOpen)}
}

type circuitState int

const (
	circuitClosed   circuitState = iota // the check passes
	circuitTripping                     // it fails, but not for long enough
	circuitOpen                         // unready
	circuitHalfOpen                     // ready, until it is open again
)

// circuitBreaker is the state of a CircuitBreaker. Its zero value is closed.
type circuitBreaker struct {
	options CircuitBreaker
	state   circuitState
	until   time.Time // when the state ends by itself
}

func (c *circuitBreaker) open() bool { return c.state == circuitOpen }

// observe takes the state of the check at an instant.
func (c *circuitBreaker) observe(passing bool, now time.Time, random func() float64) {
	if passing {
		c.state, c.until = circuitClosed, time.Time{}
		return
	}
	if c.state == circuitClosed {
		spread := time.Duration(random() * float64(c.options.Open+c.options.HalfOpen))
		c.state, c.until = circuitTripping, now.Add(c.options.After+spread)
	}
	if now.Before(c.until) {
		return
	}
	if c.state == circuitOpen {
		c.state, c.until = circuitHalfOpen, now.Add(c.options.HalfOpen)
	} else {
		c.state, c.until = circuitOpen, now.Add(c.options.Open)
	}
}
