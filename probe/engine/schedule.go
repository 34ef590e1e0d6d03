package engine

import (
	"sync/atomic"
	"time"

	"github.com/probity-run/probity/probe"
)

// Report is what one attempt of a schedule found out.
type Report struct {
	probe.Result
	Began time.Time     // when the attempt began
	Took  time.Duration // how long it took
}

// schedule repeats attempts. All but state belongs to the loop.
type schedule struct {
	attempt // the one in flight, or the last one; they never overlap
	timer   timer
	period  time.Duration
	due     time.Time // of the tick that is set
	running bool
	missed  bool // a tick came while an attempt was running
	report  func(Report)
	state   atomic.Int32
}

// The states of a schedule, for those outside of the loop.
const (
	waiting int32 = iota
	reporting
	stopped
)

// Every starts an attempt of p after phase and then each period, like a worker of the kubelet with
// its ticker (R7, R10): attempts never overlap, a tick that comes during an attempt starts the next
// one as soon as that has ended, and of several such ticks only one is remembered. After a gap,
// such as a suspended machine, missed ticks are not made up for. report is called on the loop after
// each attempt. Phases are the caller's to spread; see [Phase].
//
// A period below one quantum is one quantum. stop ends the schedule and the attempt that runs.
// After it has returned no call of report begins; it reports whether none is being made at this
// moment either.
func (e *Engine) Every(p probe.Prober, period, phase time.Duration, report func(Report)) (stop func() bool) {
	s := &schedule{
		attempt: attempt{engine: e, target: e.Prepare(p)},
		period:  max(period, e.quantum),
		due:     time.Now().Add(phase),
		report:  report,
	}
	s.timer.fire = s.tick
	s.done = s.finished
	e.post(func() {
		if s.state.Load() != stopped {
			e.at(s.due, &s.timer)
		}
	})
	return func() bool {
		before := s.state.Swap(stopped)
		if before != stopped {
			e.post(s.end)
		}
		return before != reporting
	}
}

// tick is called when the schedule is due.
func (s *schedule) tick() {
	if s.running {
		s.missed = true
	} else {
		s.run()
	}
	behind := max(0, s.engine.now.Sub(s.due)) / s.period
	s.due = s.due.Add(s.period * (1 + behind))
	s.engine.at(s.due, &s.timer)
}

// run starts an attempt.
func (s *schedule) run() {
	s.running, s.missed = true, false
	s.settled.Store(false)
	s.begin()
}

// finished passes a result on and makes up for a missed tick.
func (s *schedule) finished(result probe.Result) {
	s.running = false
	if s.state.CompareAndSwap(waiting, reporting) {
		s.report(Report{Result: result, Began: s.began, Took: time.Since(s.began)})
		s.state.CompareAndSwap(reporting, waiting)
	}
	if s.missed && s.state.Load() != stopped && !s.engine.ended {
		s.run()
	}
}

// end stops what the schedule does.
func (s *schedule) end() {
	s.engine.wheel.remove(&s.timer)
	s.release()
}

// Phase spreads schedules: it returns an instant within the period that depends on the name only.
func Phase(name string, period time.Duration) time.Duration {
	if period <= 0 {
		return 0
	}
	hash := uint64(14695981039346656037) // FNV-1a
	for i := range len(name) {
		hash = (hash ^ uint64(name[i])) * 1099511628211
	}
	return time.Duration(mix(hash) % uint64(period))
}

// mix makes every bit of the result depend on every bit of h: FNV alone leaves names that differ in
// the end close together.
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
