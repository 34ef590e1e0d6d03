package health

import "time"

// Breaker lets an outage of a dependency make this replica unready, for part of the time. It trips
// when the check has failed for After, at a moment that is random within the next Open + Trial.
// Then the replica is unready for Open, ready for Trial, and so on until the check passes, which
// ends it at once. So in an outage only a share of about Open / (Open + Trial) of the replicas is
// unready at any time, and those who call the service meet its own errors and fallbacks rather than
// nothing. Zero fields mean their defaults.
type Breaker struct {
	After time.Duration // default 15 s
	Open  time.Duration // default 15 s
	Trial time.Duration // default 30 s
}

func (b Breaker) withDefaults() Breaker {
	if b.After == 0 {
		b.After = 15 * time.Second
	}
	if b.Open == 0 {
		b.Open = 15 * time.Second
	}
	if b.Trial == 0 {
		b.Trial = 30 * time.Second
	}
	return b
}

func (b Breaker) problems() []error {
	return []error{notNegative("Breaker.After", b.After), notNegative("Breaker.Open", b.Open), notNegative("Breaker.Trial", b.Trial)}
}

type breakerState int

const (
	breakerClosed   breakerState = iota // the check passes
	breakerTripping                     // it fails, and has not for long
	breakerOpen
	breakerTrial
)

// breaker is the state of a Breaker.
type breaker struct {
	options Breaker
	state   breakerState
	until   time.Time // when the state ends by itself
}

func (b *breaker) open() bool { return b.state == breakerOpen }

// see takes what the check says at an instant.
func (b *breaker) see(passing bool, now time.Time, random func() float64) {
	if passing {
		b.state, b.until = breakerClosed, time.Time{}
		return
	}
	if b.state == breakerClosed {
		spread := time.Duration(random() * float64(b.options.Open+b.options.Trial))
		b.state, b.until = breakerTripping, now.Add(b.options.After+spread)
	}
	if now.Before(b.until) {
		return
	}
	if b.state == breakerOpen {
		b.state, b.until = breakerTrial, now.Add(b.options.Trial)
	} else {
		b.state, b.until = breakerOpen, now.Add(b.options.Open)
	}
}
