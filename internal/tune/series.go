package tune

import "time"

// Schema is what the file of a series says it is. Version 1, which is read too, knew no slow
// answers.
const (
	Schema  = "probity.run/series/v2"
	schema1 = "probity.run/series/v1"
)

// Series is what was measured of the containers of a manifest. Its form in JSON is that of the file
// that probity tune writes; all times are seconds.
type Series struct {
	// Schema is [Schema].
	Schema string `json:"schema"`
	// Manifest is the SHA-256 of the manifests as they were measured, in hexadecimal digits.
	Manifest string `json:"manifest,omitempty"`
	// Host describes the machine, and Version is that of Probity.
	Host    string `json:"host,omitempty"`
	Version string `json:"version,omitempty"`
	// Measured is when that began.
	Measured time.Time `json:"measured,omitzero"`
	// Containers are those with probes, each once.
	Containers []Container `json:"containers"`
	// Skipped is what was not measured, each with the reason.
	Skipped []string `json:"skipped,omitempty"`
}

// Container is what was measured of one container of a workload.
type Container struct {
	// Workload is its kind and name, "deployment/web", with the namespace in front of it if that is
	// not default; Name is the container's.
	Workload string `json:"workload"`
	Name     string `json:"container"`
	// Starts are in the order in which they were made.
	Starts []Start `json:"starts,omitempty"`
	// Endpoints are what its probes ask, each once.
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// Counts are what a cluster tells: no stalls, only how often something happened.
	Counts []Count `json:"counts,omitempty"`
}

// Start is one start of a container: from its process to the first good answer.
type Start struct {
	Seconds float64 `json:"seconds"`
	How     How     `json:"how"`
}

// How says what else happened while a container started.
type How string

// The ways in which starts are measured.
const (
	Alone    How = "alone"    // nothing
	Together How = "together" // others of the same workload started
	Limited  How = "limited"  // others did, and the container's CPU limit was kept
	Live     How = "cluster"  // told by a cluster: to Ready, in whole seconds
)

// Endpoint is what one or more probes of a container ask.
type Endpoint struct {
	// Probes are "startup", "readiness" and "liveness", as far as they ask this.
	Probes []string `json:"probes"`
	// Request is what that is.
	Request
	// Windows are stretches of measurement, in order.
	Windows []Window `json:"windows,omitempty"`
}

// Window is one stretch in which an endpoint was asked again and again.
type Window struct {
	// Load is what else was asked of the service: "" for nothing, else such as "20/s GET /".
	Load string `json:"load,omitempty"`
	// Seconds is how long it was.
	Seconds float64 `json:"seconds"`
	// Samples are the attempts, Tainted those for which Probity itself was late.
	Samples int `json:"samples"`
	Tainted int `json:"tainted,omitempty"`
	// Latency is that of the answers outside of stalls.
	Latency Sketch `json:"latency,omitempty"`
	// Stalls are in order and do not overlap.
	Stalls []Stall `json:"stalls,omitempty"`
	// Slow are stretches in which all answers were late, in the order of their beginnings.
	Slow []Slow `json:"slow,omitempty"`
}

// Stall is a stretch without a good answer.
type Stall struct {
	// Begin counts from the beginning of the window.
	Begin  float64 `json:"begin"`
	Length float64 `json:"length"`
	// Errors means that answers came at once and were bad; otherwise none came.
	Errors bool `json:"errors,omitempty"`
}

// End is when it is over.
func (s Stall) End() float64 { return s.Begin + s.Length }

// Count is what a cluster tells of a container over all of its Pods.
type Count struct {
	// Context of the kubeconfig, and when it was asked.
	Context string    `json:"context,omitempty"`
	Asked   time.Time `json:"asked,omitzero"`
	// PodHours is how old the Pods are together, EventHours over how much of that Events tell.
	PodHours   float64 `json:"podHours"`
	EventHours float64 `json:"eventHours"`
	// Restarts are all of them, for whatever reason; Kills those that Events ascribe to the
	// liveness probe, and StartKills to the startup probe.
	Restarts   int `json:"restarts"`
	Kills      int `json:"kills"`
	StartKills int `json:"startKills"`
	// Failures are attempts of the liveness probe that failed; Exact if the kubelets' counters tell
	// them.
	Failures int  `json:"failures"`
	Exact    bool `json:"exact,omitempty"`
	// Liveness are the numbers of the probe there; nil if it has none. Request is what it asks, and
	// zero if that is not known.
	Liveness *Setting `json:"liveness,omitempty"`
	Request
}
