package health

import (
	"log/slog"
	"math/rand/v2"
	"time"
)

// answer is the answer to a probe, rendered when it changes and not when a probe comes. It is never
// modified.
type answer struct {
	ok   bool // 200, else 503
	text string
	body []byte
}

func newAnswer(v verdict) *answer {
	return &answer{ok: v.ok, text: v.text, body: []byte(v.text + "\n")}
}

// refresh publishes what has changed.
func (h *Health) refresh() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.registry.latch(now)
	h.registry.stale = true
	h.publishLocked(now)
	h.wakeLocked()
}

// changedLocked takes note of a check after something of it has changed.
func (h *Health) changedLocked(c *check, now time.Time) {
	h.registry.noteCheck(c, now, rand.Float64)
	h.publishLocked(now)
	h.wakeForNextLocked(now)
}

// wakeForNextLocked makes Run call step again if something has to be looked at before it does so by
// itself.
func (h *Health) wakeForNextLocked(now time.Time) {
	if h.run != nil && h.registry.deadline(now).Before(h.run.next) {
		h.wakeLocked()
	}
}

// wakeLocked makes Run call step again. It never blocks.
func (h *Health) wakeLocked() {
	if h.run != nil {
		select {
		case h.run.wake <- struct{}{}:
		default: // it is going to do so anyway
		}
	}
}

// publishLocked renders the answers that have changed, logs the changes, and closes the channel of
// Changed.
func (h *Health) publishLocked(now time.Time) {
	r := &h.registry
	for _, c := range r.noted {
		h.logCheckLocked(c, now)
	}
	clear(r.noted)
	r.noted = r.noted[:0]
	if !r.stale {
		return
	}
	r.stale, r.rendered = false, now
	changed := false
	for i, v := range r.verdicts(now) {
		old := h.answers[i].Load()
		if old != nil && old.ok == v.ok && old.text == v.text {
			continue
		}
		changed = true
		h.answers[i].Store(newAnswer(v))
		if old == nil || old.ok != v.ok {
			h.logProbeLocked(probes[i], v)
		}
	}
	r.wasReady = r.wasReady || h.OK(Readiness)
	if changed && h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

func (h *Health) logCheckLocked(c *check, now time.Time) {
	state := c.known
	if h.run == nil || state == statePending || c.logged == state {
		return
	}
	c.logged = state
	if state == stateOK {
		h.run.log.put(slog.LevelInfo, "Check passes", slog.String("check", c.name))
		return
	}
	h.run.log.put(slog.LevelWarn, "Check fails", slog.String("check", c.name), slog.String("kind", string(c.kind)),
		slog.String("state", state), slog.String("detail", c.detail(now)), slog.Any("error", c.err))
}

// logPanicLocked logs where a check panics, when that begins.
func (h *Health) logPanicLocked(c *check, err error) {
	if !c.panics {
		h.run.log.panicked("Check panics", c.name, err)
	}
	c.panics = stackOf(err) != ""
}

func (h *Health) logProbeLocked(p Probe, v verdict) {
	if h.run == nil {
		return
	}
	level := slog.LevelInfo
	if !v.ok && h.registry.phase == running && !h.registry.started.IsZero() {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{slog.String("probe", string(p)), slog.Bool("ok", v.ok), slog.String("answer", v.text)}
	for _, l := range h.registry.heartbeats {
		if err := l.problem(); err != nil && p == Liveness && l.silent.Load() && len(attrs) < maxListed {
			attrs = append(attrs, slog.Any(l.name, err))
		}
	}
	h.run.log.put(level, "Probe answer changed", attrs...)
}
