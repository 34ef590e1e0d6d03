package render

import (
	"testing"
	"time"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/timeline"
)

// TestProbesOfTheContainer: a lane has the attempts of the container that was broken, and knows its
// timeout.
func TestProbesOfTheContainer(t *testing.T) {
	attempt := func(container string, took time.Duration) drill.Attempt {
		return drill.Attempt{Pod: "web-1", Container: container, Probe: "Liveness", Took: drill.Offset(took)}
	}
	probe := func(timeout time.Duration) []drill.Probe {
		return []drill.Probe{{Type: "Liveness", Timeout: drill.Offset(timeout)}}
	}
	rep := &drill.Repetition{Attempts: []drill.Attempt{attempt("web", time.Second), attempt("proxy", time.Second), attempt("web", time.Second), attempt("proxy", 3*time.Second)}}
	w := &drill.Workload{Container: "web", Probes: probe(time.Second), Beside: []drill.Container{{Name: "proxy", Probes: probe(3 * time.Second)}}}
	for container, want := range map[string][]timeline.Outcome{"": {timeline.TimedOut, timeline.TimedOut}, "proxy": {timeline.Failed, timeline.TimedOut}} {
		lanes := drawn{&drill.Result{Container: container}, rep, w}.probes("web-1")
		if len(lanes) != 1 || len(lanes[0].Attempts) != 2 || lanes[0].Attempts[0].Outcome != want[0] || lanes[0].Attempts[1].Outcome != want[1] {
			t.Errorf("container %q: %+v, want outcomes %v", container, lanes, want)
		}
	}
}
