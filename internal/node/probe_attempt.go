package node

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/probe"
)

// probeKey names a probe of a Pod.
type probeKey struct {
	container string
	probe     lifecycle.ProbeType
}

// attempt is one attempt of a probe, in flight.
type attempt struct {
	lifecycle.RunProbe
	instance *instance
	began    time.Time
	stalled  time.Duration // of the stallClock, then
	routine  bool          // a success would change nothing
	diverted *diverted     // nil if it goes where it is to go
}

// diverted are the addresses, host:port, of an attempt that [Options].Redirect sends elsewhere.
type diverted struct{ from, to string }

// told is a text about the attempt with the address that people know.
func (d *diverted) told(text string) string { return strings.ReplaceAll(text, d.to, d.from) }

func (a *attempt) key() probeKey { return probeKey{a.Container, a.Type} }

func (a *attempt) timeout() time.Duration { return time.Duration(a.Probe.TimeoutSeconds) * time.Second }

// attempts makes the attempts of a Pod's probes and hands their results to the core.
type attempts struct {
	loop       *loop
	state      *lifecycle.Pod // read only
	running    instances
	probers    *probers
	engine     probeEngine
	stalls     *stallClock
	routine    *batch // results that change nothing
	report     *reportWriter
	recording  *recording
	inspection *inspection
	dead       func(pid int) bool
	cancels    map[probeKey]func() bool // of the newest attempt of each probe
}

// start starts one attempt. The engine makes it and hands its result to the loop.
func (s *attempts) start(e lifecycle.RunProbe) {
	now := time.Now()
	a := attempt{e, s.running[e.Container], now, s.stalls.stalled(now), s.state.SuccessIsRoutine(e.Container, e.Type), nil}
	prober, verdict := s.probers.prober(&a)
	if verdict != nil {
		s.loop.post(func() { s.done(a, *verdict, time.Since(a.began)) })
		return
	}
	// The callback runs on the engine's loop, which serves all Pods.
	s.cancels[a.key()] = s.engine.Go(prober, func(result probe.Result) {
		took := time.Since(a.began)
		report := func() { s.done(a, result, took) }
		if a.routine && result.Outcome == probe.Success && result.Err == nil {
			s.routine.add(func() { s.loop.post(report) })
			return
		}
		s.loop.post(report)
	})
}

func (s *attempts) cancel(e lifecycle.CancelProbe) {
	if cancel := s.cancels[probeKey{e.Container, e.Type}]; cancel != nil {
		cancel()
	}
}

func (s *attempts) cancelAll() {
	for _, cancel := range s.cancels {
		cancel()
	}
}

// done hands a result to the core and to the report, unless it is void.
func (s *attempts) done(a attempt, result probe.Result, took time.Duration) {
	if s.void(a.instance, result) {
		return
	}
	result = discountStall(result, took, a.timeout(), s.stalls.stalled(a.began.Add(took))-a.stalled)
	if a.diverted != nil {
		result.Output = a.diverted.told(result.Output)
	} else { // else the reason is known, and not in the Pod
		s.inspection.attempted(&a, result.Outcome, s.running)
	}
	outcome, output := outcomeOf(result)
	s.loop.on(lifecycle.ProbeDone{Container: a.Container, Instance: a.Instance, Type: a.Type, Outcome: outcome, Output: output})
	state := s.stateOf(a.key())
	s.recording.attempted(&a, result, took, state)
	s.report.put(newRecord(result, a.began, took, state), time.Now())
}

// stateOf is the state of a probe.
func (s *attempts) stateOf(key probeKey) (state lifecycle.ProbeState) {
	s.state.EachProbe(func(p lifecycle.ProbeState) {
		if p.Container == key.container && p.Type == key.probe {
			state = p
		}
	})
	return state
}

// void reports whether a result says nothing about the service: the attempt was cut off; or its
// process is gone, or is dead while the rest of its tree still has to be killed, so that its exit
// is about to be reported (R34). The kernel is asked only for failures.
func (s *attempts) void(inst *instance, result probe.Result) bool {
	return errors.Is(result.Err, probe.ErrStopped) || inst.ended() || result.Outcome == probe.Failure && s.dead(inst.process.PID())
}

// outcomeOf translates what the probe package found into what the core counts.
func outcomeOf(result probe.Result) (lifecycle.ProbeOutcome, string) {
	switch {
	case result.Err != nil && result.Outcome == probe.Failure:
		return lifecycle.OutcomeErrorFailure, result.Err.Error()
	case result.Err != nil, result.Outcome == probe.Unknown:
		return lifecycle.OutcomeErrorUnknown, fmt.Sprint(result.Err)
	case result.Outcome == probe.Success:
		return lifecycle.OutcomeSuccess, result.Output
	case result.Outcome == probe.Warning:
		return lifecycle.OutcomeWarning, result.Output
	default:
		return lifecycle.OutcomeFailure, result.Output
	}
}
