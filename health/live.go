package health

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Heartbeat shows that a loop makes progress. Its methods do nothing on a nil Heartbeat and after
// Stop; they take no lock and cost some ten nanoseconds, so that a loop can call them at each turn.
type Heartbeat struct {
	h     *Health
	state *heartbeat
}

// Live registers a loop that this process cannot do without: if it calls neither Beat nor Idle for
// longer than limit, /livez fails and Kubernetes restarts the container. Choose a limit well above
// the longest turn; only a hang should exceed it. The time counts from the last call or from the
// end of the start, whichever is later, so a loop that never begins is noticed too.
//
// Heartbeats, and the other three Live methods, are all that can make liveness fail. None takes a
// function, so that a check of a database, which no restart helps, cannot be registered here.
func (h *Health) Live(name string, limit time.Duration) *Heartbeat {
	l := &heartbeat{name: name, limit: limit, base: time.Now()}
	if !h.register(name, func(r *registry) { r.heartbeats = append(r.heartbeats, l) }, positive("the limit", limit)) {
		return nil
	}
	return &Heartbeat{h, l}
}

// Beat reports that the loop works. Call it at each turn, also if there is nothing to do.
func (b *Heartbeat) Beat() {
	if b == nil || b.state.stopped.Load() {
		return
	}
	b.state.last.Store(max(1, int64(time.Since(b.state.base))))
	if b.state.silent.Load() {
		b.h.refresh()
	}
}

// Idle reports that the loop is about to wait for work, for however long: no beat is expected until
// the next Beat.
func (b *Heartbeat) Idle() {
	if b == nil || b.state.stopped.Load() {
		return
	}
	b.state.last.Store(idling)
	if b.state.silent.Load() {
		b.h.refresh()
	}
}

// Stop reports that the loop has ended on purpose: it no longer counts, and its name is free.
func (b *Heartbeat) Stop() {
	if b == nil || b.state.stopped.Swap(true) {
		return
	}
	b.h.forget(b.state)
}

func (h *Health) forget(l *heartbeat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.registry.remove(l)
	h.publishLocked(time.Now())
}

// idling is the value of last while the loop waits for work.
const idling = -1

// heartbeat is the state of a Heartbeat.
type heartbeat struct {
	name  string
	limit time.Duration
	base  time.Time

	last    atomic.Int64 // the last beat since base, or idling; 0: never
	silent  atomic.Bool  // liveness fails for it
	stopped atomic.Bool
	why     atomic.Pointer[error] // the last result of a self-check; nil for other heartbeats
}

// silence is how long there has been no beat, given when the start was over.
func (l *heartbeat) silence(started, now time.Time) time.Duration {
	last := l.last.Load()
	if last == idling {
		return 0
	}
	since := l.base.Add(time.Duration(last))
	if since.Before(started) {
		since = started
	}
	return now.Sub(since)
}

func (l *heartbeat) state(started, now time.Time) string {
	if l.silence(started, now) >= l.limit {
		return stateSilent
	}
	return stateOK
}

// deadline is when the limit is exceeded if there is no beat before. While the loop idles, that is
// a whole limit from now, which is soon enough: its time begins with the next beat.
func (l *heartbeat) deadline(started, now time.Time) time.Time {
	return now.Add(l.limit - l.silence(started, now))
}

// problem is why a self-check failed last; nil for other heartbeats.
func (l *heartbeat) problem() error {
	if err := l.why.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *heartbeat) detail(started, now time.Time) string {
	switch last := l.last.Load(); {
	case last == idling:
		return "waiting for work"
	case started.IsZero():
		return "not judged before the start is over"
	case last == 0:
		return fmt.Sprintf("never heard of, %v after the start, limit %v", short(l.silence(started, now)), l.limit)
	}
	return fmt.Sprintf("last heard of %v ago, limit %v", short(l.silence(started, now)), l.limit)
}
