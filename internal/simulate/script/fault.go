package script

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
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
	// Workload to whose Pods it happens, as in "deployment/web" or "web"; empty means all.
	Workload string
	// Container it happens to; empty means all that are not plain init containers.
	Container string
	// Probes that notice it; nil means all, or those of [Fault.OfDependency].
	Probes []lifecycle.ProbeType
	// Path restricts it to httpGet probes of that path; empty means any probe.
	Path string
	// Replicas it happens to, by index from 0; nil means all.
	Replicas []int
	// Shared reports whether random times are the same for all replicas; otherwise each replica has
	// its own.
	Shared bool
	// Outlasts reports whether a restart does not cure it, because its cause is outside of the
	// container. Always so for a dependency.
	Outlasts bool
	// Reply is what probes get from status and dependency-outage faults.
	Reply Reply
	// Code is the exit code of an exit.
	Code int32
	// Latency is what a slow fault adds to each answer; it grows from 0 during Ramp.
	Latency time.Duration
	Ramp    time.Duration
	// Share of a processor is what a throttle leaves; 0 means 0.05.
	Share float64
}

// Effect is what a fault does: while it lasts, or once if it has no length. The simulator knows a
// fault by its effect, not by its kind.
type Effect struct {
	// Refuses: nobody listens.
	Refuses bool
	// Stalls: an answer comes only when the fault is over.
	Stalls bool
	// Latency is added to each answer; it grows from 0 during Ramp.
	Latency, Ramp time.Duration
	// Factor is how many times as long an answer takes; 0 means as long as ever.
	Factor float64
	// Reply is given instead of the program's own answer, if it is not a good one.
	Reply Reply
	// FailsRequests: what the Service sends to the container fails too.
	FailsRequests bool
	// StallsProcess: the whole process stands still, and notices signals only afterwards.
	StallsProcess bool
	// EndsProcess: the process ends, with ExitCode. Such a fault has no length.
	EndsProcess bool
	ExitCode    int32
	// RestartsKubelet and RollsOut happen to the kubelet and to the workloads, not to a container.
	RestartsKubelet, RollsOut bool
}

// Slows reports whether answers take longer.
func (e Effect) Slows() bool { return e.Latency > 0 || e.Factor > 1 }

// OnContainer reports whether it is a container that the effect happens to.
func (e Effect) OnContainer() bool { return !e.RestartsKubelet && !e.RollsOut }

// Detection is what probes have to do with a fault.
type Detection int

// The answers to the question whether a probe has to act on a fault.
const (
	DetectionExpected Detection = iota // if the fault lasts
	DetectionOptional                  // good answers still come, if later
	DetectionNone                      // it is over before a probe is due
)

// Label is what reports call the fault.
func (f *Fault) Label() string {
	if f.Name != "" {
		return f.Name
	}
	return string(f.Kind)
}

// Effect is what the fault does.
func (f *Fault) Effect() Effect {
	if row, ok := f.Kind.row(); ok {
		return row.effect(f)
	}
	return Effect{}
}

// OfDependency reports whether the fault is in something that the program depends on. A restart
// does not cure it, and it is noticed by the readiness probe, and by every other probe that asks
// the same question.
func (f *Fault) OfDependency() bool {
	row, _ := f.Kind.row()
	return row.dependency
}

// CuredByRestart reports whether a restart of the container ends the fault.
func (f *Fault) CuredByRestart() bool { return !f.Outlasts && !f.OfDependency() }

// HappensTo reports whether it happens to that replica.
func (f *Fault) HappensTo(replica int) bool {
	return f.Replicas == nil || slices.Contains(f.Replicas, replica)
}

// asReadiness reports whether requests fare as the readiness probe does, because it notices the
// fault.
func (f *Fault) asReadiness() bool {
	return f.Probes == nil || slices.Contains(f.Probes, lifecycle.Readiness)
}

// problem is what is wrong with a fault as a whole, or "".
func (f *Fault) problem() string {
	row, _ := f.Kind.row()
	switch {
	case f.Kind == "":
		return fmt.Sprintf("the field fault is missing: there are %s", strings.Join(kindNames(), ", "))
	case row.needsLatency && f.Latency <= 0:
		return fmt.Sprintf("a %s fault needs a latency", f.Kind)
	case !slices.Contains(row.takes, "latency") && (f.Latency > 0 || f.Ramp > 0):
		return "latency and ramp belong to the fault " + strings.Join(kindsThatTake("latency"), " or ")
	case !slices.Contains(row.takes, "share") && f.Share > 0:
		return "share belongs to the fault " + strings.Join(kindsThatTake("share"), " or ")
	case f.Reply.Kind == ReplyRefused || f.Reply.Kind == ReplyError || f.Reply.Kind == ReplyGood:
		return "reply is hang or a status code; refused connections are the fault refuse, unreadable answers the fault error"
	case row.problem != nil:
		return row.problem(f)
	default:
		return ""
	}
}
