package simulate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// Programs are the processes of one Pod's containers: what they do when they are started, probed
// and stopped. They are asked in the order of time; times count from the start of the simulation.
type Programs interface {
	// Start is asked when an instance is to be started. The answer is when the process ends by
	// itself, counted from its start; nil means never.
	Start(i Instance) *Exit
	// Probe is asked when an attempt begins.
	Probe(a Attempt) Answer
	// Stop is asked when the stop signal arrives. An Exit after [script.Infinity] ignores it.
	Stop(i Instance, at time.Duration) Exit
	// Hook is asked when a lifecycle hook begins.
	Hook(i Instance, hook lifecycle.HookType, handler *corev1.LifecycleHandler) HookAnswer
}

// Instance is one run of a container.
type Instance struct {
	Container string
	Number    int           // 1 for the first
	Starts    time.Duration // when its process starts
}

// Exit is the end of a process.
type Exit struct {
	After time.Duration
	Code  int32
}

// Attempt is one attempt of a probe.
type Attempt struct {
	Instance Instance
	Type     lifecycle.ProbeType
	Probe    *corev1.Probe
	At       time.Duration
}

// Answer is what an attempt finds, and how long that takes.
type Answer struct {
	Outcome lifecycle.ProbeOutcome
	Output  string
	After   time.Duration
}

// HookAnswer is how a lifecycle hook ends.
type HookAnswer struct {
	After time.Duration
	Err   error
}

// skippable are Programs that know in advance how long all is well, so that attempts which find
// nothing else need not be made one by one.
type skippable interface {
	// succeedsUntil is the time before which every attempt of a probe succeeds, is over before the
	// next one is due, and changes nothing; next is its next tick.
	succeedsUntil(container string, t lifecycle.ProbeType, next time.Duration) time.Duration
	// skipped tells that attempts succeeded without being made.
	skipped(container string, t lifecycle.ProbeType, attempts int)
}
