//go:build differential

package differential

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/test/differential/recording"
	"github.com/probity-run/probity/test/differential/scenario"
)

// judgesBusy makes a difference a failure even if the machine was busy in all plays: these tests
// have it to themselves, and have to tell of each scenario.
const judgesBusy = true

// TestProbityAgainstRecordings compares all scenarios, and with that docs/conformance.md. The flag
// -recordings takes another folder than testdata, -update writes the document.
func TestProbityAgainstRecordings(t *testing.T) {
	dir := flag.Lookup("recordings").Value.String()
	outcomes := compareAll(t, dir, scenario.All())
	if filter := flag.Lookup("test.run").Value.String(); filter != "" || t.Failed() {
		return // the document tells of all scenarios
	}
	reference, err := recording.ReadRefusals(filepath.Join(dir, "refusals.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := conformance(t, reference.System, outcomes, scenario.Refusals())
	path := filepath.Join("..", "..", "docs", "conformance.md")
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/conformance.md is stale, run the tests with -update (-want +got):\n%s", diff)
	}
}
