package health

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Heartbeat shows that one loop makes progress. Workers that share one hide each other's hangs: see
// [Health.LivePool]. Its methods do nothing on a nil Heartbeat and after Stop; they take no lock
// and cost some ten nanoseconds, so that a loop can call them at each turn.
type Heartbeat struct {
	h     *Health
	state *heartbeat
}

// Live registers a loop that this process cannot do without: if it calls neither Beat nor Idle for
// longer than limit, /livez fails and Kubernetes restarts the container. Choose a limit well above
// the longest turn; only a hang should exceed it. The time counts from the last call or from the
// end of the start, whichever is later, so a loop that never begins is noticed too.
//
// Heartbeats, and the other Live methods, are all that can make liveness fail. None takes a
// function, so that a check of a database, which no restart helps, cannot be registered here.
func (h *Health) Live(name string, limit time.Duration) *Heartbeat {
	l := newHeartbeat(name, limit)
	if !h.register(name, func(r *registry, now time.Time) { r.addHeartbeat(l, now) }, positive("the limit", limit)) {
		return nil
	}
	return &Heartbeat{h, l}
}

// LivePool registers n workers that do the same, each like a loop of [Health.Live], as "name 1",
// "name 2" and so on: give each worker its own Heartbeat. If they shared one, those that work would
// hide one that hangs. For jobs that come and go call Live for each, and Stop at its end.
func (h *Health) LivePool(name string, n int, limit time.Duration) []*Heartbeat {
	if n < 1 || n > maxPool {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.misusedLocked(fmt.Errorf("cannot register %q: it has %d workers, it must have 1 to %d", name, n, maxPool))
		return nil
	}
	workers := make([]*Heartbeat, n)
	for i := range workers {
		workers[i] = h.Live(fmt.Sprintf("%s %d", name, i+1), limit)
	}
	return workers
}

// Beat reports that the loop works. Call it at each turn, also if there is nothing to do.
func (b *Heartbeat) Beat() {
	if b == nil || b.state.stopped.Load() {
		return
	}
	b.tell(b.state.now())
}

// Idle reports that the loop is about to wait for work, for however long: no beat is expected until
// the next Beat.
func (b *Heartbeat) Idle() {
	if b == nil || b.state.stopped.Load() {
		return
	}
	b.tell(idling)
}

// tell makes a moment, or idling, the last that was heard of the loop.
func (b *Heartbeat) tell(last int64) {
	if b.state.held.Load() {
		b.state.missed.Store(last)
		return
	}
	b.state.last.Store(last)
	if b.state.silent.Load() {
		b.h.heard(b.state)
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
	h.registry.removeHeartbeat(l)
	h.publishLocked(time.Now())
}

// heard publishes that a silent heartbeat beats again.
func (h *Health) heard(l *heartbeat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if !l.stopped.Load() {
		h.registry.noteHeartbeat(l, now)
	}
	h.publishLocked(now)
	h.wakeForNextLocked(now)
}

// idling is the value of last while the loop waits for work.
const idling = -1

// heartbeat is the state of a Heartbeat.
type heartbeat struct {
	item  item
	name  string
	limit time.Duration
	base  time.Time

	last    atomic.Int64 // the last beat since base, or idling; 0: never
	silent  atomic.Bool  // liveness fails for it
	stopped atomic.Bool
	held    atomic.Bool           // by a drill: what the loop says is not heard, but kept in missed
	missed  atomic.Int64          // as last
	why     atomic.Pointer[error] // the last result of a self-check; nil for other heartbeats
}

func newHeartbeat(name string, limit time.Duration) *heartbeat {
	l := &heartbeat{name: name, limit: limit, base: time.Now()}
	l.item.heartbeat = l
	return l
}

// now is the value of last for a beat at this moment.
func (l *heartbeat) now() int64 { return max(1, int64(time.Since(l.base))) }

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
