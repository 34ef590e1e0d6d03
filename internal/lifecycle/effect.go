package lifecycle

import corev1 "k8s.io/api/core/v1"

// Effect is something the shell has to do. The implementations are listed in this file; they are
// carried out in order.
type Effect interface{ effect() }

// StartContainer asks for the process of a new instance. [Started] or [StartFailed] answers it.
type StartContainer struct {
	Container string
	Instance  string
	Restarts  int // how many instances there were before
}

// StopContainer asks for a signal to the process group of an instance: SIGTERM, or what
// lifecycle.stopSignal says (R130).
type StopContainer struct {
	Container string
	Instance  string
	Signal    corev1.Signal
}

// KillContainer asks for SIGKILL to everything that belongs to an instance. [Exited] follows.
type KillContainer struct {
	Container string
	Instance  string
}

// RunProbe asks for one attempt of a probe. [ProbeDone] answers it.
type RunProbe struct {
	Container string
	Instance  string
	Type      ProbeType
	Probe     *corev1.Probe
}

// CancelProbe says that nobody waits for the attempt in flight any more, as its instance is gone.
// Its [ProbeDone] is ignored.
type CancelProbe struct {
	Container string
	Instance  string
	Type      ProbeType
}

// HookType tells a container's two lifecycle hooks apart.
type HookType string

// The lifecycle hooks.
const (
	PostStart HookType = "PostStart"
	PreStop   HookType = "PreStop"
)

// RunHook asks for a lifecycle hook. [HookDone] answers it. A hook has no timeout of its own
// (R142).
type RunHook struct {
	Container string
	Instance  string
	Hook      HookType
	Handler   *corev1.LifecycleHandler
}

// Record asks for a Kubernetes Event about the Pod.
type Record struct {
	// spec.containers{name}, spec.initContainers{name}, or "" for the Pod itself (R46)
	FieldPath string
	Type      string // Normal or Warning
	Reason    string
	Message   string
}

// StatusChanged says that [Pod.Status] differs from what it was.
type StatusChanged struct{}

// Finished says that a deleted Pod has no container left: the object can go (R166).
type Finished struct{}

func (StartContainer) effect() {}
func (StopContainer) effect()  {}
func (KillContainer) effect()  {}
func (RunProbe) effect()       {}
func (CancelProbe) effect()    {}
func (RunHook) effect()        {}
func (Record) effect()         {}
func (StatusChanged) effect()  {}
func (Finished) effect()       {}
