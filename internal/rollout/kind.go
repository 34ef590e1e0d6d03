package rollout

import "slices"

// Kind is a kind of causes.
type Kind string

// The kinds of causes, in the order of their rank. Deadline is that of a workload which makes no
// progress for no reason that is seen.
const (
	Refused       Kind = "refused"
	Paused        Kind = "paused"
	Unschedulable Kind = "unschedulable"
	Volume        Kind = "volume"
	Sandbox       Kind = "sandbox"
	ImageName     Kind = "image-name"
	Image         Kind = "image"
	Config        Kind = "config"
	Command       Kind = "command"
	Init          Kind = "init"
	Crash         Kind = "crash"
	Startup       Kind = "startup"
	Liveness      Kind = "liveness"
	Readiness     Kind = "readiness"
	Gate          Kind = "gate"
	MinReady      Kind = "min-ready"
	Node          Kind = "node"
	Job           Kind = "job"
	OldPods       Kind = "old-pods"
	StuckSet      Kind = "stuck-set"
	Endpoints     Kind = "endpoints"
	Deadline      Kind = "deadline"
)

// Kinds are all, in the order of their rank.
func Kinds() []Kind {
	return []Kind{Refused, Paused, Unschedulable, Volume, Sandbox, ImageName, Image, Config, Command, Init, Crash, Startup, Liveness, Readiness, Gate, MinReady,
		Node, Job, OldPods, StuckSet, Endpoints, Deadline}
}

func (k Kind) rank() int { return slices.Index(Kinds(), k) }

// Degree is how certain it is that waiting does not help. A larger one is worse.
type Degree int

// The degrees. A Note is no trouble; a Warning keeps nothing from being up; a Suspect is decided by
// the deadline; what is Doomed by its repetition, once it has held for the patience; what is
// Certain at once.
const (
	Note Degree = iota
	Warning
	Suspect
	Doomed
	Certain
)

// String is the word for a degree.
func (d Degree) String() string {
	return []string{"note", "warning", "suspect", "doomed", "certain"}[min(max(d, Note), Certain)]
}

// MarshalText writes the word.
func (d Degree) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
