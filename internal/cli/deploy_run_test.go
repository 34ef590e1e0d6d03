package cli

import (
	"bytes"
	"testing"

	"github.com/probity-run/probity/internal/deploy"
)

// TestDiffOfLeftovers: what would be pruned is a change, and what stays is none.
func TestDiffOfLeftovers(t *testing.T) {
	for kept, want := range map[string]int{"": ExitFailed, "an object owns it": ExitOK} {
		var out bytes.Buffer
		r := &deployRun{streams: Streams{Out: &out, Err: &out}, plan: &deploy.Deployment{Leftovers: []*deploy.Leftover{{Kept: kept}}}}
		code := ExitOK
		if err := r.printDiff(); err != nil {
			code = codeOf(err)
		}
		if code != want {
			t.Errorf("kept because %q: exit code %d, want %d", kept, code, want)
		}
	}
}
