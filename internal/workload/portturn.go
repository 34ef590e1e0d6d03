package workload

import (
	"cmp"
	"time"
)

const (
	// PortPatience is for how long a port number is left to a program that has not shown where it
	// listens, at first, if nothing else is said.
	PortPatience = 10 * time.Second
	// maxPatienceDoublings is how often that time is doubled for a program that fails: 10 s
	// become 320 s.
	maxPatienceDoublings = 5
)

// PortTurn decides when the port numbers that a container declares are left to its program, which
// may need them at every address, and when Services may have them. It keeps two promises:
//
//   - a program that needs a number gets it, however long it takes until it listens: if one start
//     fails while a Service has the number, the next one finds it free, each time for twice as
//     long;
//   - nobody waits for ever: a turn ends after a time, and with the instance. If an instance that
//     had the number for itself ends without having listened, its next start leaves it to the
//     Services, which it may be waiting for.
//
// The zero value is that of a container that was not started yet. It is not safe for concurrent
// use.
type PortTurn struct {
	// Patience is for how long the first turn lasts. Default [PortPatience].
	Patience time.Duration

	since     time.Time // zero before the first start
	limit     time.Duration
	doublings int
	refused   bool // the last instance failed while a Service had a number
}

// Start begins an instance. It has to be called before the program can listen.
func (t *PortTurn) Start(now time.Time) {
	patience := cmp.Or(t.Patience, PortPatience)
	switch {
	case t.since.IsZero():
		t.limit = patience
	case t.refused:
		t.doublings = min(t.doublings+1, maxPatienceDoublings)
		t.limit = patience << t.doublings
	default:
		t.limit = 0
	}
	t.since, t.refused = now, false
}

// End ends an instance. refused: it failed while a Service had a number that it declares and was
// not seen on.
func (t *PortTurn) End(refused bool) { t.limit, t.refused = 0, refused }

// Until is when the turn is over.
func (t *PortTurn) Until() time.Time { return t.since.Add(t.limit) }
