package drill

import (
	"context"
	"sync"
	"time"
)

const (
	// beat is how often is looked how late this process is itself.
	beat = 20 * time.Millisecond
	// tooLate is from when on nothing can be said of what happened meanwhile.
	tooLate = 120 * time.Millisecond
)

// lateness records when this process was not there when it wanted to be.
type lateness struct {
	mu   sync.Mutex // guards late
	late []lateBeat
}

type lateBeat struct {
	at time.Time // when it came
	by time.Duration
}

// run looks until the context is done.
func (l *lateness) run(ctx context.Context) {
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(beat):
		}
		now := time.Now()
		if by := now.Sub(last) - beat; by > beat {
			l.mu.Lock()
			l.late = append(l.late, lateBeat{now, by})
			l.mu.Unlock()
		}
		last = now
	}
}

// worst is the most that this process was late between two moments.
func (l *lateness) worst(from, to time.Time) (worst time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.late {
		if b.at.After(from) && b.at.Add(-b.by).Before(to) {
			worst = max(worst, b.by)
		}
	}
	return worst
}
