package lifecycle

import "time"

const (
	InitialBackoff = 10 * time.Second
	MaxBackoff     = 300 * time.Second
	// BackoffExpiry is fixed, whatever the cap (R146).
	BackoffExpiry = 600 * time.Second
	// maxRetry is how far ahead a refused start is tried again at most (R149).
	maxRetry = 60 * time.Second
)

// Backoff is the crash-loop back-off of one container (R146–R155). The zero value has no record and
// the kubelet's limits.
type Backoff struct {
	// Max caps the delay, and the first delay as well if it is below 10 s (R147). Zero means 300 s.
	Max time.Duration

	delay   time.Duration // of the record; 0 means no record
	updated time.Time
}

// Refuse reports whether a start must wait, given when the newest exited instance of the status
// snapshot finished (R148).
func (b *Backoff) Refuse(finished, now time.Time) bool {
	return b.recorded(now) && now.Sub(finished) < b.delay
}

// Next records a start: the first delay, or twice the last one up to the cap.
func (b *Backoff) Next(now time.Time) {
	limit := b.Max
	if limit == 0 {
		limit = MaxBackoff
	}
	if b.recorded(now) {
		b.delay = min(2*b.delay, limit)
	} else {
		b.delay = min(InitialBackoff, limit)
	}
	b.updated = now
}

// Delay of the record.
func (b *Backoff) Delay() time.Duration { return b.delay }

// retryAt is when a refused start is tried again: when its delay ends, or after a minute if that is
// earlier (R149).
func (b *Backoff) retryAt(finished, now time.Time) time.Time {
	return earliest(finished.Add(b.delay), now.Add(maxRetry))
}

func (b *Backoff) recorded(now time.Time) bool {
	return b.delay > 0 && now.Sub(b.updated) <= BackoffExpiry
}
