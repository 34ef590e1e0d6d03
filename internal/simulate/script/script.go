package script

import (
	"maps"
	"time"
)

// MaxReplicas is how many replicas of a workload can be simulated one by one.
const MaxReplicas = 1000

// Script is what a simulation is told about the service and about what happens to it. The zero
// value is a service that starts at once, answers every probe in 5 ms and ends at once on SIGTERM.
// The YAML form is documented by [Reference].
type Script struct {
	// PodSetup is the time from a Pod's creation to the first process: sandbox, volumes, images.
	PodSetup Distribution
	// EndpointDelay is how long a change of readiness takes to reach those who send requests.
	EndpointDelay Distribution
	// Programs are the containers' programs by container name, which may follow a workload's name
	// and a colon; "*" stands for those that are not named.
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
	// Shutdown is the time from SIGTERM to the end of the process. [Infinity] ignores the signal.
	Shutdown Distribution
	// Exit is when the process ends by itself after each start, and with what code. Nil means
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

// Reply is what a probe gets. The zero value is a good answer.
type Reply struct {
	Kind ReplyKind
	Code int // of a status; 0 means 503
}

// ReplyKind classes replies.
type ReplyKind string

// The kinds of replies.
const (
	ReplyGood    ReplyKind = ""
	ReplyRefused ReplyKind = "refused" // nobody listens
	ReplyHang    ReplyKind = "hang"    // the connection stands, no answer comes
	ReplyStatus  ReplyKind = "status"  // an answer with a status code
	// an answer that cannot be evaluated: a prober error, which counts for nothing (R26), except to
	// gRPC, which knows only failures (R95)
	ReplyError ReplyKind = "error"
)

// defaultLatency is how long an answer takes if nobody says otherwise.
const defaultLatency = 5 * time.Millisecond

// DefaultProgram is a program of which nothing is said.
func DefaultProgram() Program {
	return Program{Before: Reply{Kind: ReplyRefused}, Latency: Fixed(defaultLatency)}
}

// WithoutFaults is a copy of the script in which nothing happens.
func (s *Script) WithoutFaults() *Script {
	alone := &Script{PodSetup: s.PodSetup, EndpointDelay: s.EndpointDelay, Programs: map[string]Program{}}
	maps.Copy(alone.Programs, s.Programs)
	return alone
}
