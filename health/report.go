package health

import "time"

// Probe is one of Kubernetes' three questions.
type Probe string

// The probes.
const (
	Startup   Probe = "startup"   // has the service started? Final
	Readiness Probe = "readiness" // may traffic come now?
	Liveness  Probe = "liveness"  // would a restart help? OK means no
)

var probes = [3]Probe{Startup, Readiness, Liveness}

// The places of the probes in arrays.
const (
	start = iota
	ready
	live
)

// index is the probe's place in arrays. A word that is no probe has that of Readiness, which is the
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

// path is the path of the probe's endpoint without the slash, and its type in metrics.
func (p Probe) path() string { return [3]string{"startupz", "readyz", "livez"}[p.index()] }

// Kind is what a [Status] is about.
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

// Report is the answer to one probe, and what is known of all that counts for it.
type Report struct {
	Probe Probe
	OK    bool
	// the answer that the probe gets, in a line or two: "ok", "starting: weights: 120/400 (30%)",
	// "not ready: database failing"
	Reason string
	Checks []Status
}

// Status is what is known of one task, check or heartbeat.
type Status struct {
	Name string
	Kind Kind
	// "ok", "pending", "failing", "stuck", "stale", "pool saturated", "silent" or "stalled"
	State string
	// it counts for the probe's answer, as a readiness gate of a Pod does; false for a dependency
	// without an open circuit breaker
	Gates  bool
	Detail string // ages, durations and counts: nothing that is secret
	// the full reason, which may name hosts, users and queries; nil while OK or not known
	Err error

	Age, Duration     time.Duration // of the last result; Age is -1 if there is none
	Succeeded, Failed uint64        // results so far
	Done, Total       int64         // progress of a task
}

// OK reports whether a probe succeeds. It takes no lock.
func (h *Health) OK(p Probe) bool {
	a := h.answers[p.index()].Load()
	return a != nil && a.ok || a == nil && p == Liveness
}

// Report returns the answer to a probe and what counts for it, in the order of registration.
func (h *Health) Report(p Probe) Report { return h.view(p).Report }

// Changed returns a channel that is closed when the answer to any probe changes next. Call it
// before OK or Report, so that no change is missed.
func (h *Health) Changed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return h.changed
}

func (r *registry) statuses(p Probe, now time.Time) []Status {
	var all []Status
	switch p {
	case Startup:
		for _, t := range r.tasks {
			all = append(all, t.status(now))
		}
	case Liveness:
		for _, l := range r.heartbeats {
			all = append(all, r.heartbeatStatus(l, now))
		}
	default:
		for _, c := range r.checks {
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
	if fresh := c.latest(); !fresh.IsZero() {
		s.Age = now.Sub(fresh)
	}
	return s
}

func (r *registry) heartbeatStatus(l *heartbeat, now time.Time) Status {
	s := Status{Name: l.name, Kind: Loop, State: stateOK, Gates: true, Detail: l.detail(r.started, now), Age: l.silence(r.started, now)}
	if r.heartbeatsCount() {
		s.State = l.state(r.started, now)
	}
	if s.State != stateOK {
		s.Err = l.problem()
	}
	return s
}
