package diagnosis

import (
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// Facts are what is known of a Pod at an instant. Only Now and Pod are required; each of the others
// makes the diagnosis more exact. Texts of others in it need not be cleaned: what a [Diagnosis]
// says is.
type Facts struct {
	Now time.Time
	Pod *corev1.Pod
	// Probes are the probes of the instances that run, in the order of Kubernetes: startup,
	// readiness, liveness of each container.
	Probes []Probe
	// Told says that only what fails is known of probes, and nobody has counted it: a cluster tells
	// of them by Events alone. Their Run and Threshold are nothing then.
	Told bool
	// Containers are what is known of containers beside their status, by name.
	Containers map[string]Container
	// Workload is what the Pod is a replica of; the zero value if nothing is known.
	Workload Workload
	// Services are the names of those that select the Pod.
	Services []string
	// InFlight is how many requests are in flight at the Pod.
	InFlight int
	// Place, if not nil, says where a field of the Pod's spec is written, as in "app.yaml:31"; ""
	// if that is not known. The path is one as in "spec.containers[0].readinessProbe.httpGet.port".
	Place func(field string) string
	// HasService, if not nil, reports whether there is a Service of that name.
	HasService func(name string) bool
	// Style is how it is put.
	Style Style
}

// Probe is a probe of an instance that runs, and what its last attempt found.
type Probe struct {
	Container string
	Type      lifecycle.ProbeType
	// Attempts is how many there were of this instance; 0 means that it was not asked yet, or that
	// nobody counted if At is set.
	Attempts int
	// At is when the last attempt began, Took how long it took.
	At   time.Time
	Took time.Duration
	// Failed says that the last attempt counted as a failure, Unevaluated that it could not be
	// judged and counted for nothing.
	Failed, Unevaluated bool
	// Output is what the handler said, or the text of the error.
	Output string
	// Status is the HTTP status of the last answer; 0 if there was none, or nobody knows it any
	// more.
	Status int
	// Body is the beginning of a failed answer, as far as it was kept.
	Body string
	// Connected says that a connection was made in the last attempt, in ConnectTook.
	Connected   bool
	ConnectTook time.Duration
	// Passing is the result in effect, Known whether there is one yet.
	Passing, Known bool
	// Run is how many equal results in a row there were, Threshold how many it takes.
	Run, Threshold int
	// Over says that the probe is not asked any more: startup after it has passed.
	Over bool
	// EverPassed says that this instance had a success.
	EverPassed bool
	// FailingSince is when the result in effect became a failure; zero if that is not known.
	FailingSince time.Time
	// Slowest is the 99th percentile of the times that answers of this instance took; 0 if nobody
	// measured it.
	Slowest time.Duration
}

// Container is what is known of a container beside its status.
type Container struct {
	// PID is the process of the running instance, 0 if there is none; LastPID that of the last one.
	PID, LastPID int
	// Ports are its ports, as the manifest names them and where they are here.
	Ports []Port
	// Listeners are the sockets at which its processes listen; Looked says that somebody looked.
	Listeners []netip.AddrPort
	Looked    bool
	// LastWords is the last line, not empty, that the instance printed that ended last.
	LastWords string
	// Ran is how long that instance ran; 0 means to go by its status, which knows seconds.
	Ran time.Duration
	// Crashes is how many instances have ended in a row in the same way.
	Crashes int
	// Killed says that the last instance got its signal from Probity.
	Killed bool
	// KilledBy is the probe because of which it did, "" if it was something else; KilledFor is what
	// the last attempt of that said.
	KilledBy  lifecycle.ProbeType
	KilledFor string
	// Stopping says that the running instance is being stopped.
	Stopping bool
	// KillAt is when SIGKILL follows; zero if that is not known.
	KillAt time.Time
}

// Port is a port of a container: as the manifest names it, and where it is here.
type Port struct {
	Name             string
	Declared, Actual int
}

// Workload is what a Pod is a replica of.
type Workload struct {
	// Kind and Name are those of the Deployment or the StatefulSet, not of its ReplicaSet.
	Kind, Name string
	// Desired is how many replicas there shall be, Ready how many get requests now.
	Desired, Ready int
	// Rollout is the number of the revision that is being rolled out and has this Pod; 0 if none.
	Rollout int
	// MinReady is how long a Pod has to be ready until it counts as available.
	MinReady time.Duration
	// Deadline is when the rollout is given up; zero means never.
	Deadline time.Time
}
