package screen

import (
	"time"

	"github.com/probity-run/probity/internal/diagnosis"
)

// State is what is known of a run.
type State struct {
	Title        string    // the manifests, as they were named
	Now, Started time.Time // Started is when the run began
	Services     []Service
	Workloads    []Workload
	Pods         []Pod    // in any order
	Events       []Event  // oldest first
	Notices      []Notice // oldest first
	Output       []LogLine
	// Stopping says how far the end has come; nil as long as nobody asked for it.
	Stopping *Stopping
	// Details and Log are about the Pods that [View.Wants]; nil before they are there.
	Details *Details
	Log     *Log
}

// Stopping is how far the end of a run has come.
type Stopping struct{ Left, Pods, InFlight int }

// Pod is a row of the list.
type Pod struct {
	ID   string // which no other Pod has, also later
	Name string
	// Workload is the ID of what it is a replica of; "" for a Pod of its own.
	Workload  string
	Diagnosis diagnosis.Diagnosis
	// Attended is when it last needed attention; zero if it never did.
	Attended time.Time
	Since    time.Time // when it was made
	Restarts int
	PID      int
	Took     string // how long the last attempt took: "1.1 ms", "> 1 s"
	Port     string // ":37121"
	// At says where it is: "http 8080 at 127.0.0.1:37121 · pid 48122 · started 11:26:20".
	At string
	// Readiness is the strip of readiness, of startup until that has passed. Liveness is the other.
	Readiness, Liveness Strip
	// Version changes with everything else in here.
	Version uint64
}

// Workload is what has replicas.
type Workload struct {
	ID, Name, Kind string
	Ready, Desired int
	Rollout        string // "rollout 4: 1 of 3 updated, waits for x5jnl"; "" if none is going on
}

// Service is a Service and how it is served.
type Service struct {
	Name, Address string
	Ready, Total  int
	Rate          string // "118 req/s"; "" if nobody counts
	Lost          string // "0 lost", "0.02% lost"
	Also          string // "127.0.0.1:8090"; another address of it
	Ports         string // "80 → http (8080)"
	InFlight      int
	Waiting       int
	Names         string // by which Pods reach it
	Endpoints     []Endpoint
}

// Endpoint is a Pod of a Service.
type Endpoint struct {
	Address, Pod, Note string
	Ready              bool
	Requests, Failed   uint64
}

// Event is one of Kubernetes', merged.
type Event struct {
	At              time.Time
	Warning         bool
	Reason          string
	Count           int
	Object, Message string
	Short           string // what the message says, in few words. Default: Message
	Pod             string // the ID of the Pod that it is about; "" if it is about something else
}

// Notice is what a person should see until it is over or hidden.
type Notice struct {
	ID   string
	Text string
	// Short is the same in few words, for small windows. Default: Text.
	Short string
	// Role is Bad for what was refused, Warn for what will bite, Muted for what is only to be
	// known.
	Role Role
}

// Details are what the page of one Pod shows below its card.
type Details struct {
	ID          string
	Probes      []Probe
	Attempts    []Attempt // newest first
	Exchange    []string  // of the last attempt that is known in full: what was sent, what came
	Exchanged   string    // which attempt that was
	History     []Moment  // newest first
	Facts       [][2]string
	Environment []Variable
}

// Probe is a probe of one Pod.
type Probe struct {
	Name    string // "readiness", with the container if there are several
	Strip   Strip
	Counter string
	Asks    string // "GET /readyz · every 2 s · timeout 1 s · out after 1 · back after 1"
	Failing bool
}

// Attempt is one attempt of a probe.
type Attempt struct {
	At      time.Time
	Probe   string // "readiness"
	Slot    Slot
	Outcome string // "200", "timeout", "refused"
	Took    string
	Counter string
	Text    string
}

// Moment is something that happened to a Pod.
type Moment struct {
	At   time.Time
	Text string
	Role Role
}

// Variable is an environment variable that the manifest or Probity sets.
type Variable struct {
	Name, Value string
	// Secret hides the value until somebody asks for it. From says where it comes from.
	Secret bool
	From   string
}

// Log is what a Pod printed, as far as it is loaded, with its probes' attempts between the lines.
type Log struct {
	ID       string // of the Pod
	Title    string // "instance 3, running"
	Previous string // "exit 0"; "" if there was no instance before
	Lines    []LogLine
	// Older says that there may be lines before those that are loaded, Newer that there are some
	// after them: then the log is not followed.
	Older, Newer bool
	Err          string // why it cannot be shown
}

// LogLine is a line of a log.
type LogLine struct {
	Seq  int // which rises from line to line; what is loaded later may come before 0
	At   time.Time
	Kind LogKind
	From string // the Pod, where there are several
	Text []Span
	// Source is the log that it comes from, for whoever loads it; 0 for what is in no file.
	Source int
}

// LogKind is what a line of a log is.
type LogKind int

// The kinds of lines.
const (
	Printed      LogKind = iota // by the program
	ProbePassed                 // an attempt
	ProbeFailed                 // an attempt
	InstanceEnds                // a rule between two instances
)

// Span is a piece of text in one role.
type Span struct {
	Text string
	Role Role
	Bold bool
}
