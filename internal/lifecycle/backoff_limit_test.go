package lifecycle

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestBackoffLimited: a container that crashes every second is restarted after a second while the
// back-off is limited, one that waits at once, and then waits as if that had not been.
func TestBackoffLimited(t *testing.T) {
	w := newTestNode(t, app(), Options{})
	w.scripts["app"].life = exits(time.Second, 1)
	w.at(40*time.Second, BackoffLimited{Max: time.Second})
	w.at(45*time.Second, BackoffLimited{Max: time.Second}) // as one that has it already
	w.at(50500*time.Millisecond, BackoffLimited{})
	w.at(60*time.Second, BackoffLimited{}) // as one that has none
	w.run(100 * time.Second)
	want := []string{
		"0s start app #1", "1s start app #2", "12s start app #3", "33s start app #4", "40s start app #5", "42s start app #6",
		"44s start app #7", "46s start app #8", "48s start app #9", "50s start app #10", "1m31s start app #11",
	}
	if diff := cmp.Diff(want, w.seen("start ")); diff != "" {
		t.Error(diff)
	}
}
