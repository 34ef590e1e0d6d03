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
	"github.com/probity-run/probity/test/harness"
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

// plays is how often a scenario is played if the machine was busy and something differed: if it
// holds Probity up, time-outs are no failures (docs/differences.md), and if it holds up a Pod
// alone, probes time out that have answers in the recording.
const plays = 5

func playUndisturbed(t *testing.T, system stage.System, reference trace.Trace, s scenario.Scenario, ledgers string) (got trace.Trace, found []trace.Difference) {
	for n := range plays {
		meter := harness.StartMeter(t)
		var err error
		if got, err = stage.Play(t.Context(), system, s, fmt.Sprintf("%s-%d", strings.ToLower(s.ID), n), ledgers); err != nil {
			t.Fatal(err)
		}
		found = trace.Compare(reference, got)
		load := meter.Stop()
		if len(found) == 0 || !load.Busy() {
			return got, found
		}
		t.Logf("different, and the machine was busy: %v", load)
		awaitIdle(t)
	}
	if !judgesBusy {
		t.Skip("this machine was too busy to tell")
	}
	return got, found
}

// awaitIdle waits until the machine holds nothing up, but not for ever.
func awaitIdle(t *testing.T) {
	for range 20 {
		meter := harness.StartMeter(t)
		time.Sleep(time.Second)
		if load := meter.Stop(); load.Late < harness.MaxLate/4 && !load.Busy() {
			return
		}
	}
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
