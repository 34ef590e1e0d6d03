package trace

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/test/differential/ledger"
)

// Observation is a change of an object, and when it was seen.
type Observation struct {
	At     time.Time
	Type   watch.EventType
	Object runtime.Object // a Pod, Event, EndpointSlice, Deployment or ReplicaSet
}

// Recorded is all that was seen of a scenario.
type Recorded struct {
	// Scenario and System name the trace.
	Scenario, System string
	// Period is that of the trace.
	Period float64
	// Observations are in the order in which they were made.
	Observations []Observation
	// Ledgers are the players' lines by the name of the Pod.
	Ledgers map[string][]ledger.Line
	// End is when watching ended.
	End time.Time
	// Player is the path of the player, which must not be in a trace.
	Player string
	// Image is the image of the containers, likewise.
	Image string
}

// began is the first start of a process, or, if none started, the first observation.
func (r *Recorded) began() time.Time {
	var first time.Time
	for _, lines := range r.Ledgers {
		if len(lines) > 0 && (first.IsZero() || lines[0].Time().Before(first)) {
			first = lines[0].Time()
		}
	}
	if first.IsZero() && len(r.Observations) > 0 {
		first = r.Observations[0].At
	}
	return first
}
