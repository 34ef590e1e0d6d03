package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// joinLimit is how long Run waits at the end for functions whose context has ended.
const joinLimit = 2 * time.Second

// run is what exists while Run does.
type run struct {
	options Options
	group   *group // all but those of outputs
	log     *logQueue
	outputs outputs
	wake    chan struct{} // has a value when there may be something to do before next
	next    time.Time     // when step is called, if nothing happens before
	fatal   chan error    // why Run has to end by itself; the first reason counts
}

// Run runs the checks until ctx ends; probes are answered from their results. Then it stops in the
// order that Kubernetes needs: it makes the service unready, waits for ShutdownDelay, calls the
// functions of [Health.Drain], and ends the checks. Liveness succeeds all that time, and after; a
// server that is drained answers no new connections though, so that only the listener at Addr can
// tell. Run returns nil then, or what went wrong on the way. If signal.NotifyContext ended ctx, an
// interrupt half a second later or more (a second Ctrl-C) ends the waiting and the context of the
// functions.
//
// It returns an error at once if something was registered that cannot be right, if it was called
// before, or if it cannot open its own listener or write its heartbeat file; and it stops by
// itself, with an error, when a startup task fails or stalls, or the listener at Addr fails.
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
		r.log.put(slog.LevelInfo, "Stopping", slog.Duration("delay", h.delay(r.options)))
	case err = <-r.fatal:
		r.log.put(slog.LevelError, "Stopping", slog.Any("error", err))
	}
	return errors.Join(err, h.shutdown(ctx, r))
}

// inCluster reports whether this process runs in a container that a kubelet started, which always
// sets this variable.
func inCluster() bool { return os.Getenv("KUBERNETES_SERVICE_HOST") != "" }

// begin starts everything, or nothing.
func (h *Health) begin(ctx context.Context) (*run, error) {
	options, err := h.options.settings(inCluster())
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := errors.Join(append(h.misuse, err)...); err != nil {
		return nil, err
	}
	if h.registry.phase != created {
		return nil, errors.New("cannot run: it has run already, make another Health")
	}
	r := &run{options: options, group: newGroup(ctx), log: newLogQueue(options.Log), wake: make(chan struct{}, 1), fatal: make(chan error, 1)}
	if r.outputs, err = openOutputs(h, r); err != nil {
		r.group.end()
		return nil, err
	}
	h.run = r
	now := time.Now()
	h.registry.begin(now, rand.Float64)
	h.publishLocked(now)
	r.outputs.start()
	r.group.start(goroutine{"checks", h.schedule})
	for _, g := range h.waiting {
		r.group.start(g)
	}
	h.waiting = nil
	return r, nil
}

// launch starts a goroutine that belongs to Run: now, or when Run begins.
func (h *Health) launch(g goroutine) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch h.registry.phase {
	case created:
		h.waiting = append(h.waiting, g)
	case running:
		h.run.group.start(g)
	}
}

// schedule calls step whenever time or an event may have changed something.
func (h *Health) schedule(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-h.run.wake:
		case <-ctx.Done():
			return
		}
		timer.Reset(h.step())
	}
}

// step does what is due, and returns how long there is nothing to do.
func (h *Health) step() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for _, c := range h.registry.tick(now, rand.Float64) {
		h.startLocked(c)
	}
	h.publishLocked(now)
	if err := h.registry.failure(now); err != nil {
		h.run.fail(err)
	}
	h.run.next = h.registry.deadline(now)
	return h.run.next.Sub(now)
}

// fail ends Run.
func (r *run) fail(err error) {
	select {
	case r.fatal <- err:
	default: // it is ending
	}
}

// stop makes the service unready for good. It returns when it first did so.
func (h *Health) stop() (since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.registry.phase == running {
		h.registry.stopping = time.Now()
		h.registry.enter(stopping, h.registry.stopping, rand.Float64)
		h.publishLocked(h.registry.stopping)
	}
	return h.registry.stopping
}

// shutdown is the last part of Run, after asked has ended.
func (h *Health) shutdown(asked context.Context, r *run) error {
	since := h.stop()
	patient, end := untilInterrupted(asked, r.group.ctx)
	defer end()
	sleep(patient, h.delay(r.options)-time.Since(since))
	err := errors.Join(h.drain(patient, r), interrupted(patient))
	limit := joinLimit
	if interrupted(patient) != nil {
		limit = slack
	}
	if missing := r.group.join(limit); missing != nil {
		err = errors.Join(err, fmt.Errorf("cannot stop %s: the function goes on after its context has ended", strings.Join(missing, ", ")))
	}
	h.mu.Lock()
	now := time.Now()
	h.registry.enter(stopped, now, rand.Float64)
	h.publishLocked(now)
	h.mu.Unlock()
	return errors.Join(err, r.outputs.close())
}

// delay is how long to go on serving after becoming unready: not at all if the service never was
// ready, since then no traffic came.
func (h *Health) delay(o Options) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.registry.wasReady {
		return 0
	}
	return o.ShutdownDelay
}
