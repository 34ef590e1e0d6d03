package rollout

import (
	"time"

	"github.com/probity-run/probity/internal/advisor"
)

// Result is how a rollout is. Everything in it is sorted, and its texts are on one line and hold
// nothing that a terminal obeys.
type Result struct {
	// Object is the workload, At the instant.
	Object Object
	At     time.Time
	// Up says that what was applied runs: all Pods are updated and available, and have been for as
	// long as it takes to believe it.
	Up bool
	// Over says that it is up because it has done what it was made for: a Job that is complete, a
	// Pod that has succeeded. Nothing that happens to it later changes that.
	Over bool
	// Settles is when a rollout is up whose Pods are, if nothing changes; zero otherwise.
	Settles time.Time
	// Again is when to explain anew although nothing has changed; zero means never.
	Again time.Time

	// Revision is the number of the newest revision, 0 if it has none; Hash is its name in labels.
	Revision int64
	Hash     string
	// Desired is how many Pods there shall be; Updated, Ready and Available are those of the newest
	// revision; Old are those of others that have not ended.
	Desired, Updated, Ready, Available, Old int
	// Pods are those of the newest revision, by name, but for those that are being deleted.
	Pods []Pod
	// Services are those that select Pods of the workload, by name.
	Services []Service

	// Causes are why it is not up, the worst first.
	Causes []Cause
	// Verdict ends the rollout; nil as long as it is worth while to wait.
	Verdict *Verdict
	// Logs are the lines that would help to explain. Those that are among [Facts.Logs] are not
	// asked for again.
	Logs []LogRequest
	// Shown are those among [Facts.Logs] that the causes have, as they would be asked for now: what
	// was read of an instance while it ran may not be its end.
	Shown []LogRequest
}

// Object names a workload as people do.
type Object struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// Pod is a Pod of the newest revision, as far as a live view shows it.
type Pod struct {
	Name, Node string
	// Created is when it was made; Running when the youngest of its containers started, zero if
	// none runs.
	Created, Running time.Time
	// Phase is one word or two for how far it is: "pending", "scheduled", "started", "up",
	// "not running".
	Phase string
	// Up says that it counts as available, Ready that it is ready.
	Ready, Up bool
	// Restarts are those of all its containers.
	Restarts int
	// Took is the time from the start of its first instance to its being ready; 0 if it is not
	// known.
	Took time.Duration
}

// Service is what is behind a Service of the workload.
type Service struct {
	Name string
	// Ready are its ready endpoints.
	Ready int
}

// Cause is why a workload is not up.
type Cause struct {
	// Key is the same as long as the trouble is, whatever its counters, its degree and its Pods
	// are. It is no text for people.
	Key    string
	Kind   Kind
	Degree Degree
	// Pods are the names of those that have the trouble, none if it is that of the workload;
	Pods      []string
	Container string
	// Short says it in few words after the name of a Pod: "readiness answers 404 to GET
	// :8080/ready".
	Short string
	// Text says it at length after the name of the workload. Details are further lines.
	Text    string
	Details []string
	// Next is what to do; "" if that does not follow from what is seen.
	Next string
	// Since is when it was seen for the first time. Count is how often, 0 if nothing counts it;
	// AtLeast says that it may have been more.
	Since   time.Time
	Count   int
	AtLeast bool
	// Probe is the probe that it is about; nil if it is about none.
	Probe *Probe
	// Evidence is what it is concluded from.
	Evidence []Evidence
	// Predicted are the findings of probity check that said so before, See a command that shows it.
	Predicted []advisor.Finding
	See       string
	// Logs are what containers printed, at most ten lines of each.
	Logs []Log
}

// Probe is a probe that fails, in the form of machines.
type Probe struct {
	Type    string `json:"type"`
	Action  string `json:"action"`
	Port    int    `json:"port,omitempty"`
	Path    string `json:"path,omitempty"`
	Answer  string `json:"answer,omitempty"`
	AtLeast int    `json:"atLeast,omitempty"`
}

// Evidence is an observation of the cluster.
type Evidence struct {
	// From is "event", "status" or "condition".
	From         string `json:"from"`
	Reason       string `json:"reason,omitempty"`
	Message      string `json:"message,omitempty"`
	Count        int    `json:"count,omitempty"`
	RestartCount int    `json:"restartCount,omitempty"`
}

// Log is what an instance printed last.
type Log struct {
	Container string `json:"container"`
	// Instance is "running" or "previous".
	Instance string   `json:"instance"`
	Lines    []string `json:"lines"`
}

// LogRequest asks for the last ten lines of an instance.
type LogRequest struct {
	Instance
	// Namespace and Name are those of its Pod. Previous is the parameter of that name.
	Namespace, Name string
	Previous        bool
	// Running says that the instance has not ended: it may print more.
	Running bool
}

// Outcome is how a rollout ended.
type Outcome string

// The outcomes. NotFollowed is applied, and nothing rolls out; NotKnown is that it took too long,
// and nothing was wrong.
const (
	IsUp        Outcome = "up"
	Failed      Outcome = "failed"
	NotFollowed Outcome = "not followed"
	NotKnown    Outcome = "not known"
)

// Verdict is the end of a rollout.
type Verdict struct {
	Outcome Outcome
	// Exit is the exit code: 0 up, 1 failed, 3 not known.
	Exit int
	// Cause is why it failed. Also are the other causes, the worst first.
	Cause
	Also []Cause
	// Warnings are what should be known although it is up.
	Warnings []Cause
}
