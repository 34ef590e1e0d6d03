package lifecycle

import (
	"hash/fnv"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ProbeType names the three probes with the capitalised words that events and metrics use (R1).
type ProbeType string

// The three probes, in the order in which the kubelet looks at them (R3).
const (
	Startup   ProbeType = "Startup"
	Readiness ProbeType = "Readiness"
	Liveness  ProbeType = "Liveness"
)

// ProbeTypes lists the three probes in the kubelet's order.
func ProbeTypes() []ProbeType { return []ProbeType{Startup, Readiness, Liveness} }

// ProbeResult is what a worker has published about an instance, or what it counts.
type ProbeResult string

// The results of a probe.
const (
	ResultUnknown ProbeResult = "Unknown"
	ResultSuccess ProbeResult = "Success"
	ResultFailure ProbeResult = "Failure"
)

const (
	// maxAttempts of one run: a prober error is tried again at once, a failure never (R42, R43).
	maxAttempts = 3
	// settle is how long a new instance is left alone. The kubelet learns of a start with a lag of
	// up to a second (R8, R18); a supervisor that knows at once would otherwise probe a process
	// that is milliseconds old.
	settle = 250 * time.Millisecond
	// relist is when the kubelet first sees a new container, generates its status and so triggers
	// readiness (R13, R18).
	relist = time.Second
	// resync is how often the kubelet generates the status of a quiet Pod at most (R14, R18).
	resync = 60 * time.Second
)

// Worker schedules the runs of one probe of one container and counts their outcomes (R1, R19, R25).
// It knows no handler and no consequence.
//
// Runs start at ticks: instants a period apart whose phase is fixed when the first instance starts
// and kept by later instances (R7, R9). The first tick comes half a second to a second after the
// initial delay; where in that half second depends on the Pod's UID, so that many Pods that start
// together are not probed together.
type Worker struct {
	probeType ProbeType
	probe     *corev1.Probe
	period    time.Duration
	delay     time.Duration
	offset    time.Duration // of the first tick behind the initial delay

	anchor      time.Time // ticks are anchor + k·period
	next        time.Time // the next tick
	triggeredAt time.Time // when a manual trigger is due; zero if none (R13)

	instance  string
	startedAt time.Time
	seenAt    time.Time
	ranAt     time.Time // when the last run of any kind began
	syncedAt  time.Time // when status was generated last, before the first run
	resync    time.Duration

	inFlight bool
	attempt  int

	result  ProbeResult // published
	last    ProbeResult // of the last run that counted
	run     int         // length of the current run of equal results
	hold    bool
	stopped bool
}

func newWorker(uid, container string, t ProbeType, probe *corev1.Probe) *Worker {
	return &Worker{
		probeType: t,
		probe:     probe,
		period:    seconds(probe.PeriodSeconds),
		delay:     seconds(probe.InitialDelaySeconds),
		offset:    firstTickOffset(uid, container, t),
		result:    seed(t),
		last:      ResultUnknown,
		resync:    resync,
	}
}

// firstTickOffset spreads workers over [500 ms, 1 s): late enough for a quick service to listen,
// early enough for its user.
func firstTickOffset(uid, container string, t ProbeType) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(uid + "/" + container + "/" + string(t)))
	return 500*time.Millisecond + time.Duration(h.Sum32()%500)*time.Millisecond
}

// seed is the result a new instance begins with (R22).
func seed(t ProbeType) ProbeResult {
	switch t {
	case Readiness:
		return ResultFailure
	case Liveness:
		return ResultSuccess
	default:
		return ResultUnknown
	}
}

// begin turns the worker to a new instance. Neither the run nor the phase is reset (R9, R32); the
// hold is lifted (R19.4).
func (w *Worker) begin(instance string, startedAt, now time.Time) {
	w.instance, w.startedAt, w.seenAt = instance, startedAt, now
	w.result, w.hold = seed(w.probeType), false
	w.inFlight, w.attempt = false, 0
	w.triggeredAt, w.ranAt, w.syncedAt = time.Time{}, time.Time{}, now.Add(relist)
	if w.anchor.IsZero() {
		w.anchor = startedAt.Add(w.delay + w.offset)
	}
	// not a tick of this very moment: its run may have killed the last one
	w.next = w.tickAfter(now)
	if begins := startedAt.Add(w.delay); begins.After(now) {
		w.next = w.tickFrom(begins)
	}
	if held := now.Add(settle); w.next.Before(held) {
		w.next = held
	}
}

// tickFrom is the first tick at or after t.
func (w *Worker) tickFrom(t time.Time) time.Time {
	late := t.Sub(w.anchor) % w.period
	switch {
	case late == 0:
		return t
	case late < 0:
		return t.Add(-late)
	default:
		return t.Add(w.period - late)
	}
}

func (w *Worker) tickAfter(t time.Time) time.Time { return w.tickFrom(t.Add(1)) }

// skip drops the ticks that passed while a gate was closed; they are not made up for.
func (w *Worker) skip(now time.Time) {
	if !w.inFlight && !w.next.After(now) {
		w.next = w.tickAfter(now)
	}
}

// trigger asks for a run outside the ticks (R13). While an instance is new it takes effect when the
// kubelet would first see it.
func (w *Worker) trigger(now time.Time) {
	if now.Before(w.seenAt.Add(settle)) {
		now = w.seenAt.Add(relist)
	}
	w.syncedAt = latest(w.syncedAt, now)
	if now.Before(w.startedAt.Add(w.delay)) {
		return // the initial delay would drop it (R19.8)
	}
	if w.triggeredAt.IsZero() || now.Before(w.triggeredAt) {
		w.triggeredAt = now
	}
}

// due is when the next run starts, given that the gates stay open.
func (w *Worker) due() time.Time {
	due := w.next
	if w.probeType != Readiness || w.result == ResultSuccess {
		return due
	}
	if !w.triggeredAt.IsZero() {
		due = earliest(due, w.triggeredAt)
	}
	if w.ranAt.IsZero() {
		return earliest(due, w.syncFrom(w.startedAt.Add(w.delay)))
	}
	return earliest(due, w.ranAt.Add(w.resync))
}

// syncFrom is the first sync of a quiet Pod at or after t. Those before drop their trigger (R19.8).
func (w *Worker) syncFrom(t time.Time) time.Time {
	first := w.syncedAt.Add(w.resync)
	if late := t.Sub(first); late > 0 {
		return first.Add((late + w.resync - 1) / w.resync * w.resync)
	}
	return first
}

// runIfDue starts a run if one is due. Only one is in flight at a time, and of the ticks it misses
// one is remembered (R10).
func (w *Worker) runIfDue(now time.Time) bool {
	if w.inFlight || w.due().After(now) {
		return false
	}
	if w.next.After(now) { // triggered: the ticker restarts with a full period (R13)
		w.anchor = now
	}
	w.next = w.tickAfter(now)
	w.triggeredAt = time.Time{}
	w.ranAt = now
	w.inFlight, w.attempt = true, 1
	return true
}

// count takes the outcome of the attempt in flight. It reports whether to attempt again at once,
// and whether the published result changed.
func (w *Worker) count(o ProbeOutcome) (again, changed bool) {
	if o.isError() {
		if w.attempt < maxAttempts {
			w.attempt++
			return true, false
		}
		w.inFlight = false
		return false, false // errors neither lengthen nor break a run (R26)
	}
	w.inFlight = false
	result := ResultSuccess
	if o == OutcomeFailure {
		result = ResultFailure
	}
	if result != w.last {
		w.last, w.run = result, 0
	}
	w.run++
	if w.run < w.threshold(result) { // R28
		return false, false
	}
	changed = w.result != result
	w.result = result
	if w.probeType == Startup || w.probeType == Liveness && result == ResultFailure { // R37, R38
		w.hold, w.run = true, 0
	}
	return false, changed
}

func (w *Worker) threshold(r ProbeResult) int {
	if r == ResultFailure {
		return int(w.probe.FailureThreshold)
	}
	return int(w.probe.SuccessThreshold)
}

// cancel forgets the run in flight; nothing of it counts.
func (w *Worker) cancel() bool {
	was := w.inFlight
	w.inFlight, w.attempt, w.triggeredAt = false, 0, time.Time{}
	return was
}

// state is what others may know of the worker.
func (w *Worker) state(container string) ProbeState {
	return ProbeState{
		Container: container,
		Type:      w.probeType,
		Result:    w.result,
		Last:      w.last,
		Run:       w.run,
		Threshold: w.threshold(w.last),
		Hold:      w.hold,
		Next:      w.next,
	}
}

// ProbeState is a worker's state as a person wants to see it: "2 of 3 failures".
type ProbeState struct {
	Container string
	Type      ProbeType
	Result    ProbeResult // what is published and acted upon
	Last      ProbeResult // of the last run that counted
	Run       int         // how many equal results there were in a row
	Threshold int         // how many it takes
	Hold      bool        // no further run on this instance (R37, R38)
	Next      time.Time   // the next tick, if the gates are open then
}

// stop ends the worker for good: it starts no further run (R17). One in flight may finish (R15).
func (w *Worker) stop() { w.stopped = true }

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
