package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"
)

// joinLimit is how long Run waits at the end for functions whose context has ended.
const joinLimit = 2 * time.Second

// run is what exists while Run does.
type run struct {
	options Options
	crew    *crew // all but the two below
	journal *journal
	doors   doors
	poke    chan struct{} // has a value when the loop has to look
	fatal   chan error    // why Run has to end by itself; it takes the first
}

// Run runs the checks, in the background of whoever asks the probes, until ctx ends. Then it stops
// in the order that Kubernetes needs: unready at once, ShutdownDelay, the functions of
// [Health.Drain], the checks; liveness stays green throughout, and after. Run returns nil then, or
// what went wrong on the way.
//
// It returns an error at once if something was registered that cannot be right, if it was called
// before, or if its own listener or heartbeat file cannot be had; and it stops by itself, with an
// error, when a startup task fails or stalls, or Addr's listener dies.
//
// After Run no goroutine is left, except those of functions that ignore the end of their context:
// Run waits two seconds for them, and its error names them.
func (h *Health) Run(ctx context.Context) error {
	r, err := h.begin(ctx)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		r.journal.put(slog.LevelInfo, "Stopping", slog.Duration("delay", h.delay(r.options)))
	case err = <-r.fatal:
		r.journal.put(slog.LevelError, "Stopping", slog.Any("error", err))
	}
	return errors.Join(err, h.shutdown(r))
}

// begin starts everything, or nothing.
func (h *Health) begin(ctx context.Context) (*run, error) {
	options, err := h.options.settings()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := errors.Join(append(h.misuse, err)...); err != nil {
		return nil, err
	}
	if h.board.phase != idle {
		return nil, errors.New("cannot run: it has run already, make another Health")
	}
	r := &run{options: options, crew: newCrew(ctx), journal: newJournal(options.Log), poke: make(chan struct{}, 1), fatal: make(chan error, 1)}
	if r.doors, err = openDoors(h, r); err != nil {
		r.crew.end()
		return nil, err
	}
	h.run, h.board.phase = r, running
	now := time.Now()
	h.board.begin(now)
	h.publishLocked(now)
	r.doors.start()
	r.crew.start(member{"checks", h.loop})
	for _, m := range h.waiting {
		r.crew.start(m)
	}
	h.waiting = nil
	return r, nil
}

// launch starts a goroutine that belongs to Run: now, or when Run begins.
func (h *Health) launch(m member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch h.board.phase {
	case idle:
		h.waiting = append(h.waiting, m)
	case running:
		h.run.crew.start(m)
	}
}

// loop looks at the board whenever time or an event may have changed something.
func (h *Health) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-h.run.poke:
		case <-ctx.Done():
			return
		}
		timer.Reset(h.look())
	}
}

// look does what is due, and returns when to look next.
func (h *Health) look() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for _, c := range h.board.tick(now, rand.Float64) {
		h.run.crew.start(member{c.name, func(ctx context.Context) { h.attempt(ctx, c) }})
	}
	h.publishLocked(now)
	if err := h.board.failure(now); err != nil {
		h.run.fail(err)
	}
	return h.board.deadline(now).Sub(now)
}

// fail ends Run.
func (r *run) fail(err error) {
	select {
	case r.fatal <- err:
	default: // it is ending
	}
}

// stop makes the service unready for good. It returns since when it is.
func (h *Health) stop() (since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.board.phase == running {
		h.board.phase, h.board.stopping = stopping, time.Now()
		h.publishLocked(h.board.stopping)
	}
	return h.board.stopping
}

// shutdown is the end of Run.
func (h *Health) shutdown(r *run) error {
	since := h.stop()
	pause(r.crew.ctx, h.delay(r.options)-time.Since(since))
	err := h.drain(r)
	if missing := r.crew.join(joinLimit); missing != nil {
		err = errors.Join(err, fmt.Errorf("cannot stop %s: the function goes on after its context has ended", strings.Join(missing, ", ")))
	}
	h.mu.Lock()
	h.board.phase = stopped
	h.publishLocked(time.Now())
	h.mu.Unlock()
	return errors.Join(err, r.doors.close())
}

// delay is how long to serve on after becoming unready: not at all if there never was traffic.
func (h *Health) delay(o Options) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.board.wasReady {
		return 0
	}
	return o.ShutdownDelay
}
