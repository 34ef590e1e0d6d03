package differential

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/probity-run/probity/test/differential/cluster"
	"github.com/probity-run/probity/test/differential/local"
	"github.com/probity-run/probity/test/differential/recording"
	"github.com/probity-run/probity/test/differential/scenario"
	"github.com/probity-run/probity/test/differential/stage"
	"github.com/probity-run/probity/test/differential/trace"
)

// outcome is what became of a scenario.
type outcome struct {
	scenario scenario.Scenario
	same     bool
}

// compareAll plays scenarios on Probity and compares them with what a real kubelet did, as recorded
// in dir.
func compareAll(t *testing.T, dir string, scenarios []scenario.Scenario) []outcome {
	system := startProbity(t)
	ledgers := t.TempDir()
	outcomes := make([]outcome, len(scenarios))
	var mu sync.Mutex // guards outcomes
	t.Run("scenario", func(t *testing.T) {
		for i, s := range scenarios {
			t.Run(s.ID, func(t *testing.T) {
				t.Parallel()
				same := compare(t, system, filepath.Join(dir, s.ID+".json"), s, ledgers)
				mu.Lock()
				defer mu.Unlock()
				outcomes[i] = outcome{s, same}
			})
		}
	})
	return outcomes
}

// compare reports whether Probity did the same. A difference that was not decided fails the test,
// and so does a decided one that is not there.
func compare(t *testing.T, system stage.System, recorded string, s scenario.Scenario, ledgers string) (same bool) {
	reference, err := recording.Read(recorded)
	if err != nil {
		t.Fatal(err)
	}
	got, found := playUndisturbed(t, system, reference, s, ledgers)
	switch {
	case s.Decided == "" && len(found) > 0:
		t.Errorf("%s: Probity differs from %s\n%s", s.Title, reference.System, trace.Timeline(found, reference, got))
	case s.Decided != "" && len(found) == 0:
		t.Errorf("%s: Probity does the same as %s; docs/differences.md says otherwise", s.Title, reference.System)
	}
	return len(found) == 0
}

// plays is how often a scenario is played if the machine held Probity up and something differed:
// time-outs are no failures then (docs/differences.md).
const plays = 5

func playUndisturbed(t *testing.T, system stage.System, reference trace.Trace, s scenario.Scenario, ledgers string) (got trace.Trace, found []trace.Difference) {
	for n := range plays {
		meter := startStallMeter(t)
		var err error
		if got, err = stage.Play(t.Context(), system, s, fmt.Sprintf("%s-%d", strings.ToLower(s.ID), n), ledgers); err != nil {
			t.Fatal(err)
		}
		found = trace.Compare(reference, got)
		late := meter.stop()
		if len(found) == 0 || late < maxStall {
			return got, found
		}
		t.Logf("held up for %v, and different", late)
		awaitIdle(t)
	}
	return got, found
}

func startProbity(t *testing.T) *local.System {
	t.Helper()
	player, err := cluster.BuildPlayer(t.Context(), filepath.Join("..", ".."), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	system, err := local.Start(local.Options{
		Dir: t.TempDir(), Player: player, Image: cluster.Image, MaxRestartPeriod: cluster.MaxRestartPeriod * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	})
	return system
}
