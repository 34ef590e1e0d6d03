package traffic

import (
	"slices"
	"testing"
	"time"

	"github.com/probity-run/probity/test/load/generator"
)

// TestRecreate never has an old and a new process running at the same time (P08, R216). Requests
// are held meanwhile, and none fails.
func TestRecreate(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.Strategy, w.Service = "{type: Recreate}", "{probity.run/hold: 30s}"
	r := begin(t, w)
	report := r.underLoad(generator.Options{Posts: 0.3, Rate: 300}, size(), func(time.Time) { rollOut(r) })
	logs := r.checkRouting(size().slack)
	r.checkFailures(logs, report.Failures, func(generator.Request) bool { return false })
	slices.SortFunc(logs, func(a, b processLog) int { return a.first("start").Compare(b.first("start")) })
	if len(logs) != 6 {
		t.Fatalf("%d processes, want 3 old and 3 new", len(logs))
	}
	for _, old := range logs[:3] {
		end, begin := old.entries[len(old.entries)-1], logs[3].entries[0]
		if end.what != "exit" || !begin.at.After(end.at) {
			t.Errorf("process %d wrote %s at %s, the first new one began at %s", old.pid, end.what, stamp(end.at), stamp(begin.at))
		}
	}
}
