package drill

import (
	"time"

	"github.com/probity-run/probity/internal/simulate"
)

// Offset is a time since the drill began, or a length of time. Its JSON is a number of seconds.
type Offset = simulate.Offset

// Report is what came of a drill. It is plain data: whoever shows it needs nothing else.
type Report struct {
	// Files are the manifests, as they were named.
	Files []string `json:"files"`
	// Attached reports that it was a run that others had started, which went on afterwards.
	Attached bool `json:"attached,omitempty"`
	// Began is when the drill began: every Offset that is a moment counts from then.
	Began time.Time `json:"began"`
	Took  Offset    `json:"took"`
	// Routing is "cluster" or "probity", EndpointDelay how much later the front learned of
	// endpoints.
	Routing       string `json:"routing"`
	EndpointDelay Offset `json:"endpointDelay"`
	// Rate is how many requests a second were sent.
	Rate float64 `json:"rate"`
	// Workloads are those that were drilled, Classes the kinds of requests that were sent.
	Workloads []Workload `json:"workloads"`
	Classes   []Class    `json:"classes"`
	// Results are the faults in the order in which they were injected. The first is the baseline:
	// load alone.
	Results []*Result `json:"results"`
	// LeftOut is what was not tried, and why.
	LeftOut []LeftOut `json:"leftOut"`
	// Dependencies were found, or declared. BlindSpots are connections that could not be seen.
	Dependencies []Dependency `json:"dependencies"`
	BlindSpots   []string     `json:"blindSpots"`
	// Assertions are what --assert asked for.
	Assertions []Assertion `json:"assertions"`
	// Interrupted reports that somebody ended the drill: what follows in the plan was not tried.
	Interrupted bool `json:"interrupted"`
	// Failures are what went wrong with the drill itself, such as a fault that could not be undone.
	Failures []string `json:"failures"`
}

// Workload is one that was drilled.
type Workload struct {
	// Name is as in "deployment/web", with the Namespace in front of it if that is not default.
	Name     string `json:"name"`
	Replicas int    `json:"replicas"`
	// Container is the one that the faults happen to that name no other: of all, the one that has
	// most probes.
	Container string `json:"container"`
	// Service and Port are where its requests go, Address is where they were sent; empty without.
	Service string `json:"service,omitempty"`
	Port    int32  `json:"port,omitempty"`
	Address string `json:"address,omitempty"`
	// Probes are those of the container.
	Probes []Probe `json:"probes"`
	// Grace is the terminationGracePeriodSeconds of a restart, the liveness probe's own if it has
	// one. Start is how long the slowest start took until Ready.
	Grace Offset `json:"grace"`
	Start Offset `json:"start"`
	// MinReady is its minReadySeconds, for which a rollout waits after each replica.
	MinReady Offset `json:"minReady,omitempty"`
	// File and Line are where the manifest has the container.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Beside are the other containers of its Pods that go on running, sidecars included.
	Beside []Container `json:"beside,omitempty"`
}

// Container is one of a workload, with what a [Workload] says of its first one.
type Container struct {
	Name   string  `json:"name"`
	Probes []Probe `json:"probes"`
	Grace  Offset  `json:"grace"`
	File   string  `json:"file,omitempty"`
	Line   int     `json:"line,omitempty"`
}

// Probe is a probe of a drilled container.
type Probe struct {
	Type    string `json:"type"` // Startup, Readiness or Liveness
	Asks    string `json:"asks"` // as in "GET /readyz"
	Delay   Offset `json:"delay"`
	Period  Offset `json:"period"`
	Timeout Offset `json:"timeout"`
	// Failures and Successes are its thresholds.
	Failures  int `json:"failures"`
	Successes int `json:"successes"`
	// Tolerated is A, the longest stall that never makes it act.
	Tolerated Offset `json:"tolerated"`
	// File and Line are where the manifest has it.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// Class is a kind of requests: all of them are the same.
type Class struct {
	Name string `json:"name"` // as in "POST /compute"
	// Workload is whose Service gets it.
	Workload string `json:"workload"`
	// Requests and Failed are those of the baseline, P50 and P99 its latencies.
	Requests int    `json:"requests"`
	Failed   int    `json:"failed"`
	P50      Offset `json:"p50"`
	P99      Offset `json:"p99"`
	// Survives are the dependencies without which it is answered.
	Survives []string `json:"survives,omitempty"`
}

// Side is where the cause of a fault lies, which decides what is right.
type Side string

// The sides of a fault.
const (
	SideNone    Side = "none"    // no fault: the baseline
	SideInside  Side = "inside"  // in the process: a restart cures it
	SideOutside Side = "outside" // elsewhere: a restart cures nothing
	SideEnd     Side = "end"     // the process ends, on request or by itself
)

// Result is what came of one fault in one workload.
type Result struct {
	// Fault is its word, as --fault takes it; "baseline" for load alone.
	Fault string `json:"fault"`
	// Title is for people, such as "dependency db down".
	Title    string `json:"title"`
	Side     Side   `json:"side"`
	Workload string `json:"workload,omitempty"`
	// Container is the one that it happened to, if it is not that of the workload.
	Container string `json:"container,omitempty"`
	// Dependency is the one that was broken.
	Dependency string `json:"dependency,omitempty"`
	// Expected is what should happen and Measured what did, in a few words.
	Expected string `json:"expected"`
	Measured string `json:"measured"`
	// Requests were sent while the fault and its consequences lasted, Lost of them got no good
	// answer. What was sent in repetitions that say nothing is not counted.
	Requests int `json:"requests"`
	Lost     int `json:"lost"`
	// Verdicts are those of all rules that apply, the worst first.
	Verdicts []Verdict `json:"verdicts"`
	// Remarks are facts that are no verdicts, such as what a longer back-off would have cost.
	Remarks     []string      `json:"remarks,omitempty"`
	Repetitions []*Repetition `json:"repetitions"`
	// Done is how often it was injected, without what was tried again because this machine was too
	// busy to tell, and Wanted how often it was to be.
	Done   int `json:"done,omitempty"`
	Wanted int `json:"wanted,omitempty"`
}

// Word is the worst verdict in a word or two: "passed" if all is well, or "caught" if a restart had
// to come and came.
func (r *Result) Word() string {
	if len(r.Verdicts) == 0 || r.Verdicts[0].Grade == GradePass && r.Side != SideInside {
		return "passed"
	}
	return r.Verdicts[0].Word
}

// Grade is how bad a verdict is.
type Grade string

// The grades, from the best to the worst.
const (
	GradePass         Grade = "pass"
	GradeWarning      Grade = "warning"      // does not fail --assert
	GradeInconclusive Grade = "inconclusive" // the machine was too busy to tell; fails --assert
	GradeFail         Grade = "fail"
)

// Verdict is what one rule says of a fault.
type Verdict struct {
	Rule  string `json:"rule"` // "V1" to "V9", or "baseline"
	Grade Grade  `json:"grade"`
	// Word is the verdict in a word or two, such as "false restart"; "caught" or "passed" if it is
	// well.
	Word string `json:"word"`
	// Text is a sentence about what happened, without a full stop.
	Text string `json:"text"`
	// Probe is the type of the probe that is to blame, "" if it is none.
	Probe string `json:"probe,omitempty"`
	// Repetitions are the numbers of those in which it was so.
	Repetitions []int `json:"repetitions,omitempty"`
	// Advice is what to do about it. Nil if all is well, or before package advice was asked.
	Advice *Advice `json:"advice,omitempty"`
}

// Repetition is one time that a fault was injected.
type Repetition struct {
	Number int `json:"number"` // from 1 on
	// Pod is the replica that it happened to; "" if it happened to all.
	Pod string `json:"pod,omitempty"`
	// Phase is where in the period of the liveness probe it began, from 0 to 1.
	Phase float64 `json:"phase"`
	// Begin and End are when it began, and was undone or over. Until is when the last consequence
	// was waited for.
	Begin Offset `json:"begin"`
	End   Offset `json:"end"`
	Until Offset `json:"until"`
	// Sent is until when requests were sent: Until is later by the last answers.
	Sent Offset `json:"sent"`
	// Predicted is what the probes had to do at this phase, Measured what they did, both since
	// Begin. Predicted is of a service that notices at once.
	Predicted Moments `json:"predicted"`
	Measured  Moments `json:"measured"`
	// OwnLag is how much later than the fault the service's own answers turned bad: the part of a
	// delay that no probe is to blame for. It is that of the liveness probe's answers, or of the
	// readiness probe's if there is no other. Nil if they did not.
	OwnLag *Offset `json:"ownLag,omitempty"`
	// Late is how late this process itself was at worst, and Tainted that this was too much to
	// judge.
	Late    Offset `json:"late"`
	Tainted bool   `json:"tainted"`
	// Means is how the fault was done, of those that there are several ways for.
	Means string `json:"means,omitempty"`
	// Undo is why the fault could not be undone; "" if it was, or if there was nothing to undo.
	Undo string `json:"undo,omitempty"`
	// Ledger is what became of the requests, by replica and class.
	Ledger []Account `json:"ledger"`
	// Replicas are what became of the Pods of the workload.
	Replicas []Replica `json:"replicas"`
	// Requests, Attempts and Changes are what was recorded, in the order of time.
	Requests []Request `json:"requests"`
	Attempts []Attempt `json:"attempts"`
	Changes  []Change  `json:"changes"`
}

// Moments are when the replica that a fault happened to did what. Nil: it did not.
type Moments struct {
	// Unready is when it was no longer Ready.
	Unready *Offset `json:"unready,omitempty"`
	// Killed is when its liveness probe, or its startup probe, decided to restart it.
	Killed *Offset `json:"killed,omitempty"`
	// Replaced is when the next process had started.
	Replaced *Offset `json:"replaced,omitempty"`
	// Ready is when it was Ready again.
	Ready *Offset `json:"ready,omitempty"`
}

// Account is how many requests of a class a replica got.
type Account struct {
	Pod      string `json:"pod"` // "" for those that got none
	Class    string `json:"class"`
	Requests int    `json:"requests"`
	Failed   int    `json:"failed"`
}

// Replica is what became of a Pod.
type Replica struct {
	Pod string `json:"pod"`
	// Restarts are by probes, Exits by themselves. ExitCode is that of the last one that ended.
	Restarts int   `json:"restarts"`
	Exits    int   `json:"exits"`
	ExitCode int32 `json:"exitCode"`
	// Ready reports whether it was Ready in the end.
	Ready bool `json:"ready"`
}

// Request is one request of the load.
type Request struct {
	At    Offset `json:"at"`
	Took  Offset `json:"took"`
	Class string `json:"class"`
	Pod   string `json:"pod"` // where it went; "" for nowhere
	// Status is that of the answer, 0 if there was none. Failed is a status from 500 on, or none.
	Status int  `json:"status"`
	Failed bool `json:"failed"`
	// Refused reports that the front had nobody to send it to.
	Refused bool   `json:"refused,omitempty"`
	Error   string `json:"error,omitempty"`
}

// Attempt is one attempt of a probe.
type Attempt struct {
	At        Offset `json:"at"`
	Took      Offset `json:"took"`
	Pod       string `json:"pod"`
	Container string `json:"container"`
	Probe     string `json:"probe"` // Startup, Readiness or Liveness
	Success   bool   `json:"success"`
	Message   string `json:"message,omitempty"`
}

// ChangeKind is what changed of a Pod.
type ChangeKind string

// The kinds of changes.
const (
	ChangeReady    ChangeKind = "ready"
	ChangeUnready  ChangeKind = "unready"
	ChangeDecided  ChangeKind = "restart decided" // by a probe; Text says which
	ChangeEnded    ChangeKind = "ended"           // a process; Text says how
	ChangeStarted  ChangeKind = "started"         // a process
	ChangeDeleted  ChangeKind = "deleted"         // the Pod is to go
	ChangeInjected ChangeKind = "injected"
	ChangeUndone   ChangeKind = "undone"
)

// Change is something that happened to a Pod.
type Change struct {
	At   Offset     `json:"at"`
	Pod  string     `json:"pod"`
	Kind ChangeKind `json:"kind"`
	// Container is the one that it happened to; "" for the Pod as a whole.
	Container string `json:"container,omitempty"`
	Text      string `json:"text,omitempty"`
}

// LeftOut is a fault that was not tried.
type LeftOut struct {
	Fault    string `json:"fault"`
	Workload string `json:"workload,omitempty"`
	Reason   string `json:"reason"`
	// Takes is about how long it would have taken, if that is why.
	Takes Offset `json:"takes,omitempty"`
}

// Dependency is something that the service connects to.
type Dependency struct {
	Name    string   `json:"name"`
	Address string   `json:"address"`
	Pods    []string `json:"pods"`
	// Connects is how many connections were made to it in the warm-up.
	Connects int `json:"connects"`
	// Owned reports that the manifest declares that the service is of no use without it.
	Owned bool `json:"owned"`
}

// Assertion is a sentence that had to hold.
type Assertion struct {
	Text  string `json:"text"`
	Holds bool   `json:"holds"`
	Got   string `json:"got"`
}
