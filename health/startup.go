package health

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const defaultBudget = 5 * time.Minute

// TaskOptions are the settings of one startup task. The zero value is ready to use.
type TaskOptions struct {
	// Budget is how long the task may take on the slowest machine. [Health.Manifest] gives the
	// startup probe the longest of all budgets; nothing else depends on it. Default 5 min. If Stall
	// is set, it can be long: a hang is noticed much earlier.
	Budget time.Duration
	// Stall is how long the task may go without progress. Slow progress is fine; none for longer
	// than this is a failure, as if [Task.Fail] were called. Default: no limit.
	Stall time.Duration
}

// Task is something that has to be done before the service has started. Its methods do nothing on a
// nil Task, on one that is done, and on one that has failed.
type Task struct {
	h    *Health
	task *task
}

// Startup registers a task, such as loading weights or a migration. The service has started when
// all tasks are done; from then on /startupz succeeds whatever happens, and checks and heartbeats
// count. A task cannot be added after that.
func (h *Health) Startup(name string, options ...TaskOptions) *Task {
	o, err := only(options)
	t := &task{name: name, stall: o.Stall, budget: o.Budget}
	if t.budget == 0 {
		t.budget = defaultBudget
	}
	var late error
	if h.OK(Startup) {
		late = errors.New("the service has started already")
	}
	if !h.register(name, func(r *registry, now time.Time) {
		t.began, t.moved = now, now
		r.tasks = append(r.tasks, t)
	},
		err, late, optional("Stall", o.Stall), optional("Budget", o.Budget)) {
		return nil
	}
	return &Task{h, t}
}

// Progress reports how much is done, in any unit. A total of 0 or less means that it is unknown. It
// costs little and may be called often; /startupz shows it within a second. A call that repeats the
// last value is no progress.
func (t *Task) Progress(done, total int64) {
	t.do(func(s *task, now time.Time) { s.progress(done, total, now) })
}

// Phase names what is done now, such as "reading index" or "second attempt". A new name is
// progress.
func (t *Task) Phase(name string) { t.do(func(s *task, now time.Time) { s.enter(oneLine(name), now) }) }

// Done ends the task. When all tasks are done, the service has started.
func (t *Task) Done() {
	t.do(func(s *task, _ time.Time) { s.done, s.count = true, max(s.count, s.total) })
	t.publish()
}

// Fail reports that the task can never be done: [Health.Run] stops the service and returns an error
// that wraps err, so that the process can exit with a reason instead of waiting to be killed. If
// another try may succeed, do not call Fail but try again in a new [Task.Phase].
func (t *Task) Fail(err error) {
	if err == nil {
		err = errors.New("no reason given")
	}
	t.do(func(s *task, _ time.Time) { s.err = taken(err) })
	t.publish()
}

func (t *Task) do(change func(*task, time.Time)) {
	if t == nil {
		return
	}
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	if !t.task.done && t.task.err == nil {
		change(t.task, time.Now())
	}
}

func (t *Task) publish() {
	if t != nil {
		t.h.refresh()
	}
}

// task is the state of a Task.
type task struct {
	name          string
	stall, budget time.Duration

	phase        string
	count, total int64
	base         int64     // count when the phase began, for the rate
	began        time.Time // the phase
	moved        time.Time // the last progress
	done         bool
	err          error
}

func (t *task) progress(done, total int64, now time.Time) {
	if done != t.count {
		t.moved = now
	}
	t.count, t.total = done, max(total, 0)
}

func (t *task) enter(phase string, now time.Time) {
	if phase == t.phase {
		return
	}
	t.phase, t.began, t.moved, t.base = phase, now, now, t.count
}

// failure is why the task can never be done.
func (t *task) failure(now time.Time) error {
	switch {
	case t.done:
		return nil
	case t.err != nil:
		return fmt.Errorf("cannot start: %s: %w", t.name, t.err)
	case t.stalled(now):
		return fmt.Errorf("cannot start: %s: no progress for %v", t.label(now), t.stall)
	}
	return nil
}

func (t *task) stalled(now time.Time) bool {
	return t.stall > 0 && !t.done && now.Sub(t.moved) >= t.stall
}

// deadline is when the task stalls if nothing happens before; it lies in the past if there is no
// such time.
func (t *task) deadline() time.Time {
	if t.stall == 0 || t.done {
		return time.Time{}
	}
	return t.moved.Add(t.stall)
}

func (t *task) state(now time.Time) string {
	switch {
	case t.done:
		return stateOK
	case t.err != nil:
		return stateFailing
	case t.stalled(now):
		return stateStalled
	}
	return statePending
}

// label is like "weights: reading index, 120/400 (30%), 12/s, 23s left".
func (t *task) label(now time.Time) string {
	if detail := t.detail(now); detail != "" {
		return t.name + ": " + detail
	}
	return t.name
}

// detail is how far the task has come.
func (t *task) detail(now time.Time) string {
	var parts []string
	if t.phase != "" {
		parts = append(parts, t.phase)
	}
	switch {
	case t.total > 0:
		parts = append(parts, fmt.Sprintf("%d/%d (%.0f%%)", t.count, t.total, 100*float64(t.count)/float64(t.total)))
	case t.count != 0:
		parts = append(parts, fmt.Sprint(t.count))
	}
	if rate := t.rate(now); rate > 0 {
		parts = append(parts, fmt.Sprintf("%.3g/s", rate))
		if left := float64(t.total-t.count) / rate; left > 0 && left < 1e6 {
			parts = append(parts, fmt.Sprintf("%.0fs left", left))
		}
	}
	if t.stalled(now) {
		parts = append(parts, "stalled")
	}
	return strings.Join(parts, ", ")
}

// rate is the progress of this phase per second.
func (t *task) rate(now time.Time) float64 {
	took := now.Sub(t.began).Seconds()
	if t.done || took < 1 || t.count <= t.base {
		return 0
	}
	return float64(t.count-t.base) / took
}
