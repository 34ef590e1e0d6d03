package differential

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity-run/probity/test/differential/recording"
	"github.com/probity-run/probity/test/differential/scenario"
	"github.com/probity-run/probity/test/differential/simulated"
	"github.com/probity-run/probity/test/differential/trace"
)

// phases is in how many phases of its probes each scenario is played.
const phases = 3

// TestSimulationAgainstRecordings plays all scenarios in virtual time and compares them with what a
// real kubelet did. It has the same rules as Probity: a difference that was not decided is a fault,
// and so is a decided one that is not there.
func TestSimulationAgainstRecordings(t *testing.T) {
	for _, s := range scenario.All() {
		if reason := simulated.Unplayed()[s.ID]; reason != "" {
			continue
		}
		t.Run(s.ID, func(t *testing.T) {
			for seed := range uint64(phases) {
				reference, got, found := simulation(t, s, seed+1)
				switch {
				case s.Decided == "" && len(found) > 0:
					t.Errorf("%s, seed %d: the simulation differs from %s\n%s", s.Title, seed+1, reference.System, trace.Timeline(found, reference, got))
				case s.Decided != "" && len(found) == 0:
					t.Errorf("%s, seed %d: the simulation does the same as %s, and Probity does not", s.Title, seed+1, reference.System)
				}
			}
		})
	}
}

// TestSimulationOfAnotherRule changes one number of a scenario each, and wants the comparison to
// see it.
func TestSimulationOfAnotherRule(t *testing.T) {
	for id, change := range map[string][2]string{
		"A01": {"failureThreshold: 3", "failureThreshold: 4"},
		"A09": {"initialDelaySeconds: 3", "initialDelaySeconds: 9"},
		"B07": {"failureThreshold: 1", "failureThreshold: 9"},
		"C03": {"failureThreshold: 3", "failureThreshold: 2"},
		"I02": {"terminationGracePeriodSeconds: 4", "terminationGracePeriodSeconds: 6"},
		"J02": {"restartPolicy: OnFailure", "restartPolicy: Always"},
		"O07": {"publishNotReadyAddresses: true", "publishNotReadyAddresses: false"},
		"P02": {"maxSurge: 1", "maxSurge: 2"},
		"S06": {"restartPolicy: Always", ""},
	} {
		all, err := scenario.Choose([]string{id})
		if err != nil {
			t.Fatal(err)
		}
		s := all[0]
		s.Manifest = strings.ReplaceAll(s.Manifest, change[0], change[1])
		for i := range s.Steps {
			s.Steps[i].Apply = strings.ReplaceAll(s.Steps[i].Apply, change[0], change[1])
		}
		if s.Manifest == all[0].Manifest {
			t.Fatalf("%s has no %q", id, change[0])
		}
		if _, err := simulated.Play(s, 1); err != nil {
			continue // it never came to what was waited for, which is a difference too
		}
		if _, _, found := simulation(t, s, 1); len(found) == 0 {
			t.Errorf("%s with %q instead of %q is the same", id, change[1], change[0])
		}
	}
}

// TestConformanceOfSimulation compares the last column of docs/conformance.md; the build tag
// differential compares the page.
func TestConformanceOfSimulation(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "conformance.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if id, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |"); ok {
			rows[id] = strings.TrimSpace(line)
		}
	}
	for _, s := range scenario.All() {
		if want := "| " + simulationColumn(t, s) + " |"; !strings.HasSuffix(rows[s.ID], want) {
			t.Errorf("docs/conformance.md has the row %q, want one that ends in %q", rows[s.ID], want)
		}
	}
}

// simulation plays a scenario in virtual time.
func simulation(t *testing.T, s scenario.Scenario, seed uint64) (reference, got trace.Trace, found []trace.Difference) {
	t.Helper()
	reference, err := recording.Read(filepath.Join("testdata", s.ID+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err = simulated.Play(s, seed); err != nil {
		t.Fatal(err)
	}
	return reference, got, trace.Compare(reference, got)
}

// sameWord is what docs/conformance.md says of what did the same.
const sameWord = "same"

// simulationColumn is what docs/conformance.md says of a scenario's simulation.
func simulationColumn(t *testing.T, s scenario.Scenario) string {
	if reason := simulated.Unplayed()[s.ID]; reason != "" {
		return "not played: " + reason
	}
	switch _, _, found := simulation(t, s, 1); {
	case len(found) == 0:
		return sameWord
	case s.Decided != "":
		return "differs likewise"
	default:
		return "differs"
	}
}
