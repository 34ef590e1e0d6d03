//go:build !differential

package differential

import (
	"slices"
	"testing"

	"github.com/probity-run/probity/test/differential/scenario"
)

// judgesBusy is false where the tests of all packages run at a time: that no play was undisturbed
// says nothing of Probity there.
const judgesBusy = false

// TestProbityAgainstRecordings compares a few scenarios; the build tag differential takes all.
func TestProbityAgainstRecordings(t *testing.T) {
	compareAll(t, "testdata", slices.DeleteFunc(scenario.All(), func(s scenario.Scenario) bool { return !s.Quick }))
}
