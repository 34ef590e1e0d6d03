package simulate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// Service is what the programs of one Pod do. The engine asks in the order of time; times count
// from the start of the simulation.
type Service interface {
	// Start is asked when an instance is to be started.
	Start(i Instance) Life
	// Probe is asked when an attempt begins.
	Probe(a Attempt) Answer
	// Stop is asked when the stop signal arrives. An Ending after [script.Infinity] ignores it.
	Stop(i Instance, at time.Duration) Ending
	// Hook is asked when a lifecycle hook begins.
	Hook(i Instance, hook lifecycle.HookType, handler *corev1.LifecycleHandler) HookAnswer
}

// Instance is one run of a container.
type Instance struct {
	Container string
	Number    int           // 1 for the first
	Asked     time.Duration // when it was to be started
	Born      time.Duration // when its process began to run; not yet known to Start
}

// Life is what becomes of a new instance.
type Life struct {
	// Delay until the process runs.
	Delay time.Duration
	// Refused is why it cannot be started, as the waiting reason of the kubelet (R112) and a
	// message; empty if it can.
	Refused, Message string
	// End is when it ends by itself, counted from its birth; nil means never.
	End *Ending
}

// Ending is the end of a process.
type Ending struct {
	After time.Duration
	Code  int32
}

// Attempt is one attempt of a probe.
type Attempt struct {
	Instance Instance
	Type     lifecycle.ProbeType
	Probe    *corev1.Probe
	At       time.Duration
	Number   int // 1 for the first of this type on this instance
}

// Answer is what an attempt finds, and how long that takes.
type Answer struct {
	Outcome lifecycle.Outcome
	Output  string
	After   time.Duration
}

// HookAnswer is how a hook ends.
type HookAnswer struct {
	After time.Duration
	Err   error
}

// calmer is a Service that knows when nothing can happen.
type calmer interface {
	// calmUntil is the time before which every attempt of a probe succeeds, is over before the next
	// one is due, and leaves nothing to be seen; next is its next tick.
	calmUntil(container string, t lifecycle.ProbeType, next time.Duration) time.Duration
	// passed says that attempts succeeded without being asked for.
	passed(container string, t lifecycle.ProbeType, attempts int)
}
