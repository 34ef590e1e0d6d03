package simulate

import (
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
)

// Script is what a simulation is told about the service and about what happens to it. The zero
// value is a service that starts at once, answers every probe in 5 ms and ends at once on SIGTERM.
// The YAML form is documented by [Reference].
type Script struct {
	// PodSetup is the time from a Pod's creation to the first process: sandbox, volumes, images.
	PodSetup Distribution
	// EndpointDelay is how long a change of readiness takes to reach those who send requests.
	EndpointDelay Distribution
	// Programs are the containers' programs by container name; "*" stands for those that are not
	// named.
	Programs map[string]Program
	// Faults are what happens, in any order.
	Faults []Fault
}

// Program is how the process of a container behaves when nothing is wrong with it.
type Program struct {
	// Startup is the time from the start of the process until it answers. Until then probes get
	// Before.
	Startup Distribution
	Before  Reply
	// Latency is the time that an answer takes.
	Latency Distribution
	// Failures is the probability that a probe fails by itself, each independent of the others.
	Failures float64
	// Shutdown is the time from SIGTERM to the end of the process. [Never] ignores the signal.
	Shutdown Distribution
	// Exit says when the process ends by itself after each start, and with what code. Nil means
	// never, for an init container at once.
	Exit *Exit
	// PreStop and PostStart are how long an exec or http hook takes. A sleep hook, and a command
	// that only sleeps, take the time they say.
	PreStop, PostStart Distribution
}

// Exit is the end of a process by itself.
type Exit struct {
	After Distribution
	Code  int32
}

// Reply is what a probe gets instead of a good answer.
type Reply struct {
	Kind ReplyKind
	Code int // of a status; 0 means 503
}

// ReplyKind classes replies.
type ReplyKind string

// The kinds of replies. The zero value of a Reply is a good answer.
const (
	Good    ReplyKind = ""
	Refused ReplyKind = "refused" // nobody listens
	Silent  ReplyKind = "hang"    // the connection stands, no answer comes
	Status  ReplyKind = "status"  // an answer with a status code
	// an answer that cannot be evaluated: a prober error, which counts for nothing (R26), except to
	// gRPC, which knows only failures (R95)
	Broken ReplyKind = "error"
)

// FaultKind says what a fault does.
type FaultKind string

// The kinds of faults.
const (
	FaultHang    FaultKind = "hang"
	FaultRefuse  FaultKind = "refuse"
	FaultStatus  FaultKind = "status"
	FaultError   FaultKind = "error"
	FaultSlow    FaultKind = "slow"
	FaultExit    FaultKind = "exit"
	FaultOutage  FaultKind = "dependency-outage"
	FaultKubelet FaultKind = "kubelet-restart"
	FaultRollout FaultKind = "rollout"
)

// Fault is something that happens once or again and again. Times count from the start of the
// simulation.
type Fault struct {
	Kind FaultKind
	// Name is what reports call it; empty means its kind.
	Name string
	// At is when it happens (first). Nil means 0 for a fault without Every, and one draw of Every
	// for one with.
	At *Distribution
	// Every is the time from one beginning to the next; nil means that it happens once. An
	// exponential one makes a Poisson process.
	Every *Distribution
	// For is how long it lasts. Nil means until the container restarts; a fault that outlasts
	// restarts then lasts for ever.
	For *Distribution
	// Container it happens to; empty means all that are not plain init containers.
	Container string
	// Probes that notice; nil means all, for a dependency's outage those that [Fault.sees] names.
	Probes []lifecycle.ProbeType
	// Path restricts it to httpGet probes of that path; empty means any probe.
	Path string
	// Replicas it happens to, by index from 0; nil means all.
	Replicas []int
	// Shared says that chance strikes all replicas at the same time; otherwise each has chances of
	// its own.
	Shared bool
	// Outlasts says that a restart does not cure it, because its cause is outside of the container.
	// Always so for a dependency's outage.
	Outlasts bool
	// Reply is what probes get from status and dependency-outage faults.
	Reply Reply
	// Code is the exit code of an exit.
	Code int32
	// Latency is what a slow fault adds to each answer; it grows from 0 during Ramp.
	Latency time.Duration
	Ramp    time.Duration
}

// Label is what reports call the fault.
func (f *Fault) Label() string {
	if f.Name != "" {
		return f.Name
	}
	return string(f.Kind)
}

// outlasts says whether a restart of the container leaves the fault as it is.
func (f *Fault) outlasts() bool { return f.Outlasts || f.Kind == FaultOutage }

// lasting says whether only a restart, or nothing, ends it.
func (f *Fault) lasting() bool { return f.For == nil }

// program is what is known of a container's program.
func (s *Script) program(container string) Program {
	if p, ok := s.Programs[container]; ok {
		return p
	}
	if p, ok := s.Programs["*"]; ok {
		return p
	}
	return Program{Before: Reply{Kind: Refused}, Latency: Fixed(defaultLatency)}
}

// defaultLatency is how long an answer takes if nobody says otherwise.
const defaultLatency = 5 * time.Millisecond
