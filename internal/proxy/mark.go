package proxy

import "sync/atomic"

// phase is what a goroutine that serves a connection waits for.
type phase uint64

const (
	// phaseNone: for nothing that has a limit.
	phaseNone phase = iota
	// phaseIdle: for the next request.
	phaseIdle
	// phaseHead: for the rest of a request's head.
	phaseHead
	// phaseBody: for the next part of a request's body.
	phaseBody
	// phaseWaiting: for the endpoint, or for one to be ready. The client may leave meanwhile.
	phaseWaiting
	// phaseTaking: for the client, which is to take a part of the answer.
	phaseTaking

	// markBroken is added by the [sweeper] when it has ended the wait.
	markBroken = 1 << 63
	markStep   = 1 << 8
)

// mark says what a goroutine waits for, so that the [sweeper] finds out whether it waits too long.
// That costs a request far less than a deadline for each wait. A mark never comes twice, so one
// that is still the same means that the wait has not ended.
type mark struct {
	state atomic.Uint64
	count uint64 // belongs to the goroutine
}

// enter says that a wait begins, which ends the one before. broken means that the sweeper has ended
// that one by a deadline, which is still set.
func (m *mark) enter(p phase) (broken bool) {
	m.count += markStep
	return m.state.Swap((m.count|uint64(p))&^markBroken)&markBroken != 0
}

// breakOff says that a wait was ended from outside, unless it has ended itself.
func (m *mark) breakOff(seen uint64) bool { return m.state.CompareAndSwap(seen, seen|markBroken) }

// phaseOf is the phase of a state, phaseNone if its wait was ended.
func phaseOf(state uint64) phase {
	if state&markBroken != 0 {
		return phaseNone
	}
	return phase(state % markStep)
}
