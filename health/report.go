package health

import "time"

// Probe is one of Kubernetes' three questions.
type Probe string

// The probes.
const (
	Startup   Probe = "startup"   // is the start over? Latches
	Readiness Probe = "readiness" // may traffic come now?
	Liveness  Probe = "liveness"  // would a restart mend it? OK means no
)

var probes = [3]Probe{Startup, Readiness, Liveness}

// The places of the probes in arrays.
const (
	start = iota
	ready
	live
)

// index is the probe's place in arrays; a word that is no probe has that of Readiness, the
// strictest.
func (p Probe) index() int {
	switch p {
	case Startup:
		return start
	case Liveness:
		return live
	}
	return ready
}

// path is where the probe asks, and its type in metrics.
func (p Probe) path() string { return [3]string{"startupz", "readyz", "livez"}[p.index()] }

// Kind says what a [Status] is about.
type Kind string

// The kinds.
const (
	StartupTask Kind = "task"
	Owned       Kind = "owned"
	Dependency  Kind = "dependency"
	Loop        Kind = "heartbeat"
)

// The words for what is known of a task, check or heartbeat.
const (
	stateOK        = "ok"
	statePending   = "pending" // there is no result yet
	stateFailing   = "failing"
	stateStuck     = "stuck"          // a run goes on after its deadline
	stateStale     = "stale"          // the last result is too old
	stateSaturated = "pool saturated" // all of the pool is in use
	stateSilent    = "silent"         // no heartbeat within the limit
	stateStalled   = "stalled"        // no progress within the limit
)

// Report is what [Health] knows that bears on one probe.
type Report struct {
	Probe Probe
	OK    bool
	// what a prober is told, in a line or two: "ok", "starting: weights: 120/400 (30%)", "not
	// ready: database failing"
	Reason string
	Checks []Status
}

// Status is what is known of one task, check or heartbeat.
type Status struct {
	Name string
	Kind Kind
	// "ok", "pending", "failing", "stuck", "stale", "pool saturated", "silent" or "stalled"
	State string
	// it counts for the probe's answer; false for a dependency without an open breaker
	Gates  bool
	Detail string // ages, durations and counts: nothing that a stranger must not know
	// the full reason, which may name hosts, users and queries; nil while OK or not known
	Err error

	Age, Duration     time.Duration // of the last result; Age is -1 if there is none
	Succeeded, Failed uint64        // results so far
	Done, Total       int64         // progress of a task
}

// OK says whether the answer to a probe is yes. It takes no lock.
func (h *Health) OK(p Probe) bool {
	a := h.answers[p.index()].Load()
	return a != nil && a.ok || a == nil && p == Liveness
}

// Report returns what bears on a probe, in the order of registration.
func (h *Health) Report(p Probe) Report { return h.view(p).Report }

// Changed returns a channel that is closed when the answer to any probe changes next. Ask for it
// before looking at OK or Report.
func (h *Health) Changed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return h.changed
}

func (b *board) statuses(p Probe, now time.Time) []Status {
	var all []Status
	switch p {
	case Startup:
		for _, t := range b.tasks {
			all = append(all, t.status(now))
		}
	case Liveness:
		for _, l := range b.loops {
			all = append(all, b.loopStatus(l, now))
		}
	default:
		for _, c := range b.checks {
			all = append(all, c.status(now))
		}
	}
	return all
}

func (t *task) status(now time.Time) Status {
	return Status{Name: t.name, Kind: StartupTask, State: t.state(now), Gates: true, Detail: t.detail(now), Err: t.err,
		Age: now.Sub(t.moved), Done: t.count, Total: t.total}
}

func (c *check) status(now time.Time) Status {
	s := Status{Name: c.name, Kind: c.kind, State: c.state(now), Gates: c.gates(), Detail: c.detail(now),
		Age: -1, Duration: c.duration, Succeeded: c.succeeded, Failed: c.failed}
	if s.State != stateOK {
		s.Err = c.err
	}
	if fresh := c.fresh(); !fresh.IsZero() {
		s.Age = now.Sub(fresh)
	}
	return s
}

func (b *board) loopStatus(l *loop, now time.Time) Status {
	s := Status{Name: l.name, Kind: Loop, State: stateOK, Gates: true, Detail: l.detail(b.started, now), Age: l.silence(b.started, now)}
	if b.judges() {
		s.State = l.state(b.started, now)
	}
	if s.State != stateOK {
		s.Err = l.problem()
	}
	return s
}
