package tune

// Objectives are what the timings are to do. The zero value asks for nothing: then stalls as long
// as those that were measured are to be survived, and a hang is to be noticed as soon as that
// allows.
type Objectives struct {
	// Detect is after how many seconds a hang is noticed by liveness at the latest. 0: as soon as
	// the others allow.
	Detect int
	// Survive is the longest stall, in seconds, that must not lead to a restart. 0: twice the
	// longest that was measured, and five seconds at least, which is an assumption.
	Survive int
	// FalseRestarts is how many restarts an hour and replica there may be that cure nothing. 0: not
	// stated.
	FalseRestarts float64
	// Drain is after how many seconds a replica that hangs gets no requests any more. 0: before
	// liveness can act.
	Drain int
	// EndpointDelay is how many seconds pass until a change of readiness has reached those who send
	// requests. 0: it reaches them at once.
	EndpointDelay int
}

// Today is what the manifest says of a container.
type Today struct {
	// Workload is its name as in a series, "deployment/web"; Container is the container's.
	Workload, Container string
	// Startup, Readiness and Liveness are the numbers of its probes; nil for those that it lacks.
	Startup, Readiness, Liveness *Setting
	// StartDelay and LiveDelay are initialDelaySeconds of startup and liveness.
	StartDelay, LiveDelay int
	// Replicas are how many Pods of it there are at most.
	Replicas int
	// ProgressDeadline is how many seconds a rollout may take; 0 for no limit.
	ProgressDeadline int
}

// Basis says on what a promise rests.
type Basis string

// The bases of promises.
const (
	Measured    Basis = "measured"      // seen in the series
	Supported   Basis = "supported"     // follows from the numbers, or is a limit of what was seen
	Assumed     Basis = "assumed"       // nothing that was measured says so
	Unsupported Basis = "not supported" // the measurement is too short to say it
	Missed      Basis = "missed"        // the recommendation does not reach it
)

// Promise is one objective and what the recommendation does about it.
type Promise struct {
	// Objective is its name: "detect", "survive", "false-restarts", "start", "timeout", "drain".
	Objective string `json:"objective"`
	// Wanted is what was asked for: "30s". Empty if nothing was.
	Wanted string `json:"wanted,omitempty"`
	Basis  Basis  `json:"basis"`
	// Text says why, in one sentence.
	Text string `json:"text"`
}

// Choice is what is recommended for one probe.
type Choice struct {
	// Probe is "startup", "readiness" or "liveness".
	Probe string `json:"probe"`
	// Now is nil if the container has no such probe.
	Now *Setting `json:"now,omitempty"`
	// Next are the recommended numbers: those of now if they meet everything.
	Next Setting `json:"next"`
	// Binding says which objectives keep it from being faster, one a line.
	Binding []string `json:"binding,omitempty"`
}

// Keeps reports whether the numbers stay as they are.
func (c *Choice) Keeps() bool { return c.Now != nil && *c.Now == c.Next }

// Point is one setting on the way from surviving to detecting.
type Point struct {
	Setting Setting `json:"setting"`
	// Tolerates is A and Detects is A + P, in seconds.
	Tolerates int `json:"tolerates"`
	Detects   int `json:"detects"`
	// Limit is the upper limit of false restarts an hour, by what was measured.
	Limit float64 `json:"limit"`
}

// Advice is what is recommended for a container.
type Advice struct {
	Workload  string `json:"workload"`
	Container string `json:"container"`
	// Refused is why there is no recommendation at all; empty if there is one.
	Refused string `json:"refused,omitempty"`
	// Infeasible is why no numbers reach all objectives; Curve are the settings between the fastest
	// that survives and the most patient that detects. Empty if there are such numbers.
	Infeasible string  `json:"infeasible,omitempty"`
	Curve      []Point `json:"curve,omitempty"`
	// Choices are those of its probes: startup, readiness, liveness.
	Choices  []Choice  `json:"choices,omitempty"`
	Promises []Promise `json:"promises,omitempty"`
	// Measured sums up what was measured.
	Measured Summary `json:"measured"`
	// Model is what a fitted tail says, if that was asked for: an extrapolation.
	Model *Tail `json:"model,omitempty"`
	// Notes are what else a person should know, each a sentence.
	Notes []string `json:"notes,omitempty"`
}

// Choice is that for a probe; nil if there is none.
func (a *Advice) Choice(probe string) *Choice {
	for i := range a.Choices {
		if a.Choices[i].Probe == probe {
			return &a.Choices[i]
		}
	}
	return nil
}

// Summary is what was measured of a container, in numbers.
type Summary struct {
	// Hours is how long the endpoint of liveness was asked, or that of readiness if there is no
	// liveness.
	Hours float64 `json:"hours"`
	// Samples and Tainted are attempts of all endpoints.
	Samples int `json:"samples"`
	Tainted int `json:"tainted"`
	// Stalls of that endpoint, and the longest in seconds.
	Stalls  int     `json:"stalls"`
	Longest float64 `json:"longestStall"`
	// Starts, the longest in seconds, and the share of starts of its kind (alone, together, at the
	// CPU limit) that is at most as long, with 95 % confidence.
	Starts       int     `json:"starts"`
	LongestStart float64 `json:"longestStart"`
	StartShare   float64 `json:"startShare"`
	// Floor is the least rate of false restarts an hour that so much time can support.
	Floor float64 `json:"floor"`
}
