package lifecycle

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Event is something that happened to a Pod. The implementations are listed in this file.
type Event interface{ event() }

// Tick says that time passed: the instant of [Pod.Deadline] was reached.
type Tick struct{}

// Started says that the process of an instance runs; it answers [StartContainer].
type Started struct {
	Container string
	Instance  string
	At        time.Time // when the process began; startedAt in the status
}

// StartFailed says that an instance could not be started; it answers [StartContainer].
type StartFailed struct {
	Container string
	Instance  string
	// waiting reason: RunContainerError, CreateContainerError or CreateContainerConfigError (R112)
	Reason  string
	Message string
}

// Exited says that the process of an instance ended and nothing of its tree is left.
type Exited struct {
	Container string
	Instance  string
	ExitCode  int32 // 128+n for a death by signal n (R139)
	Signal    int32 // 0 unless a signal ended the process
	// "" means Completed or Error by exit code (R115); OOMKilled if the shell knows better
	Reason string
	At     time.Time
}

// ProbeOutcome is what one probe attempt found.
type ProbeOutcome int

// The outcomes of an attempt. An error is not a failure: it says nothing about the service and
// counts for nothing (R26, R47).
const (
	OutcomeSuccess      ProbeOutcome = iota
	OutcomeWarning                   // counts as Success (R44)
	OutcomeFailure                   // counts as Failure
	OutcomeErrorFailure              // prober error, which Kubernetes words "failure state"
	OutcomeErrorUnknown              // prober error, which Kubernetes words "unknown state"
)

func (o ProbeOutcome) isError() bool { return o == OutcomeErrorFailure || o == OutcomeErrorUnknown }

// ProbeDone answers [RunProbe].
type ProbeDone struct {
	Container string
	Instance  string
	Type      ProbeType
	Outcome   ProbeOutcome
	Output    string // what the handler said, or the text of the error
}

// HookDone answers [RunHook].
type HookDone struct {
	Container string
	Instance  string
	Hook      HookType
	Err       error // nil if the hook succeeded
}

// Deleted says that the Pod's deletion was asked for with a grace period. Later ones can only
// shorten it (R162).
type Deleted struct{ Grace time.Duration }

// Aborted says that the Pod must end at once: SIGKILL now, no hook, no grace. A cluster knows no
// such thing; it is the second Ctrl-C.
type Aborted struct{}

// ConditionSet says that somebody set a condition of the Pod, as readiness gates ask for (R107).
type ConditionSet struct{ Condition corev1.PodCondition }

func (Tick) event()         {}
func (Started) event()      {}
func (StartFailed) event()  {}
func (Exited) event()       {}
func (ProbeDone) event()    {}
func (HookDone) event()     {}
func (Deleted) event()      {}
func (Aborted) event()      {}
func (ConditionSet) event() {}
