package health

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Heartbeat proves that a loop goes round. Its methods do nothing on a nil Heartbeat and after
// Stop; they take no lock and cost some ten nanoseconds, so that every turn of a loop can call
// them.
type Heartbeat struct {
	h    *Health
	loop *loop
}

// Live registers a loop that this process cannot be without: if it neither beats nor idles for
// longer than limit, /livez fails and Kubernetes restarts the container. Choose a limit well above
// the longest turn; only a hang should exceed it. The time counts from the first beat or from the
// end of the start, whichever is later, so a loop that never begins is noticed too.
//
// Heartbeats, and the other three Live methods, are the only things that can fail liveness. None
// takes a function: what a restart would not mend, such as a dead database, cannot be written down
// here.
func (h *Health) Live(name string, limit time.Duration) *Heartbeat {
	l := &loop{name: name, limit: limit, base: time.Now()}
	if !h.register(name, func(b *board) { b.loops = append(b.loops, l) }, positive(limit)) {
		return nil
	}
	return &Heartbeat{h, l}
}

// Beat says that the loop works. Call it at each turn, also at those that find nothing to do.
func (b *Heartbeat) Beat() {
	if b == nil || b.loop.stopped.Load() {
		return
	}
	b.loop.last.Store(max(1, int64(time.Since(b.loop.base))))
	if b.loop.red.Load() {
		b.h.refresh()
	}
}

// Idle says that the loop is about to wait for work, however long: silence means nothing until the
// next Beat.
func (b *Heartbeat) Idle() {
	if b == nil || b.loop.stopped.Load() {
		return
	}
	b.loop.last.Store(resting)
	if b.loop.red.Load() {
		b.h.refresh()
	}
}

// Stop says that the loop has ended on purpose: it is forgotten, and its name is free.
func (b *Heartbeat) Stop() {
	if b == nil || b.loop.stopped.Swap(true) {
		return
	}
	b.h.forget(b.loop)
}

func positive(limit time.Duration) error {
	if limit <= 0 {
		return fmt.Errorf("the limit is %v, it must be positive", limit)
	}
	return nil
}

func (h *Health) forget(l *loop) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.board.remove(l)
	h.publishLocked(time.Now())
}

// resting is what last holds while the loop waits for work.
const resting = -1

// loop is the state of a Heartbeat.
type loop struct {
	name  string
	limit time.Duration
	base  time.Time

	last    atomic.Int64 // the last beat since base, or resting; 0: never
	red     atomic.Bool  // it is judged silent
	stopped atomic.Bool
	why     atomic.Pointer[error] // what a canary found last; nil if there is none
}

// silence is how long nothing has been heard, given when the start was over.
func (l *loop) silence(started, now time.Time) time.Duration {
	last := l.last.Load()
	if last == resting {
		return 0
	}
	since := l.base.Add(time.Duration(last))
	if since.Before(started) {
		since = started
	}
	return now.Sub(since)
}

func (l *loop) state(started, now time.Time) string {
	if l.silence(started, now) >= l.limit {
		return stateSilent
	}
	return stateOK
}

// deadline is when the loop is silent for too long if it is not heard of before. One that rests is
// looked at again after a whole limit, and it cannot have been silent for longer by then.
func (l *loop) deadline(started, now time.Time) time.Time {
	return now.Add(l.limit - l.silence(started, now))
}

// problem is why a canary did not beat, if it knows.
func (l *loop) problem() error {
	if err := l.why.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *loop) detail(started, now time.Time) string {
	switch last := l.last.Load(); {
	case last == resting:
		return "waiting for work"
	case started.IsZero():
		return "not judged before the start is over"
	case last == 0:
		return fmt.Sprintf("never heard of, %v after the start, limit %v", short(l.silence(started, now)), l.limit)
	}
	return fmt.Sprintf("last heard of %v ago, limit %v", short(l.silence(started, now)), l.limit)
}
