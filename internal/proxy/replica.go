package proxy

import (
	"sync/atomic"
)

// failure is how an attempt at a replica failed.
type failure int

const (
	// failureRefused: the connection was refused, or could not be made otherwise. Nothing was sent.
	failureRefused failure = iota
	// failureTimeout: the connection was not accepted in time. Nothing was sent.
	failureTimeout
	// failureBroken: the connection broke before an answer.
	failureBroken
	// failureAborted: the answer broke off.
	failureAborted

	failures
)

// String returns the name in [EndpointState].Failures.
func (f failure) String() string { return [...]string{"refused", "timeout", "broken", "aborted"}[f] }

// replica is one endpoint behind one Service port. It stays the same through all tables of the port
// that have it.
type replica struct {
	endpoint
	pod      *pod
	inFlight atomic.Int64
	// ejected is the life of the Pod in which it refused a connection and did not accept one since;
	// nil for most.
	ejected atomic.Pointer[life]
	retired atomic.Bool // no table has it any more

	requests  atomic.Uint64 // attempts, which is connections with TCP
	failures  [failures]atomic.Uint64
	ejections atomic.Uint64
	lost      atomic.Uint64
}

// enter begins an attempt, unless the Pod has one of the refused flags. The attempt has to leave.
func (r *replica) enter(refused uint64) *attempt {
	l := r.pod.life.Load()
	l.unsent.Add(1) // before it is inside: who waits for those inside finds it here
	a := &attempt{life: l}
	if !l.enter(refused) {
		a.wrote()
		return nil
	}
	r.inFlight.Add(1)
	r.requests.Add(1)
	return a
}

func (r *replica) leave(a *attempt) {
	a.wrote()
	r.inFlight.Add(-1)
	a.life.leave()
}

// isEjected says whether it is out of rotation because it refused a connection. A new life of the
// Pod begins in rotation.
func (r *replica) isEjected() bool {
	l := r.ejected.Load()
	return l != nil && l == r.pod.life.Load()
}

func (r *replica) has(flags uint64) bool { return r.pod.life.Load().has(flags) }
