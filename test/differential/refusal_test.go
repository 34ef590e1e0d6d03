package differential

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/test/differential/local"
	"github.com/probity-run/probity/test/differential/recording"
	"github.com/probity-run/probity/test/differential/scenario"
)

// TestRefusals compares what Probity finds wrong with manifests with what a real API server did
// (sections L and M).
func TestRefusals(t *testing.T) {
	reference, err := recording.ReadRefusals(filepath.Join("testdata", "refusals.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range scenario.Refusals() {
		t.Run(r.ID, func(t *testing.T) {
			got, err := local.Refuse(t.TempDir(), r.Manifest)
			if err != nil {
				t.Fatal(err)
			}
			want, recorded := reference.Causes[r.ID]
			if !recorded {
				t.Fatalf("%s has no recording", r.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: Probity differs from %s (-%s +Probity)\n%s", r.Title, reference.System, reference.System, cmp.Diff(want, got))
			}
		})
	}
}
