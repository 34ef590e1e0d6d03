//go:build !race

package simulate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// TestSweepIsBounded counts work instead of time: whatever is simulated, it ends.
func TestSweepIsBounded(t *testing.T) {
	stalls := swept(t, simulatetest.DefaultProbes, simulatetest.Script(t, "gc-stall=8s/10m"), Options{Horizon: 30 * script.Day})
	if stalls.Phases < leastPhases || stalls.Phases > mostPhases/4 {
		t.Errorf("%d phases of a month of stalls", stalls.Phases)
	}
	again := swept(t, simulatetest.DefaultProbes, simulatetest.Script(t, "gc-stall=8s/10m"), Options{Horizon: 30 * script.Day})
	if diff := cmp.Diff(stalls, again, cmpopts.IgnoreUnexported(AnyPhase{})); diff != "" {
		t.Errorf("another sweep finds something else:\n%s", diff)
	}
	odd := simulatetest.PodWith("livenessProbe: {httpGet: {path: /, port: http}, periodSeconds: 7}\nreadinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 311}")
	if a := swept(t, odd, simulatetest.Script(t, "hang@60s"), Options{}); a.Phases > mostPhases {
		t.Errorf("%d phases", a.Phases)
	}
}
