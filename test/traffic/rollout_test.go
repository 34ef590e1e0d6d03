package traffic

import (
	"slices"
	"testing"

	"github.com/probity-run/probity/test/load/generator"
	"time"
)

// TestRecreate never has an old and a new process alive at the same time (P08, R216), and clients
// with patience wait.
func TestRecreate(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.Strategy, w.Service, w.Term = "{type: Recreate}", "{probity.run/hold: 30s}", "graceful"
	r := begin(t, w)
	report := r.under(generator.Options{Posts: 0.3, Rate: 300}, size(), func(time.Time) { roll(r) })
	books := r.judge(size().slack)
	r.expect(books, report.Failures, func(generator.Request) bool { return false })
	slices.SortFunc(books, func(a, b book) int { return a.first("start").Compare(b.first("start")) })
	if len(books) != 6 {
		t.Fatalf("%d processes, want 3 old and 3 new", len(books))
	}
	for _, old := range books[:3] {
		end, begin := old.entries[len(old.entries)-1], books[3].entries[0]
		if end.what != "exit" || !begin.at.After(end.at) {
			t.Errorf("process %d wrote %s at %s, the first new one began at %s", old.pid, end.what, stamp(end.at), stamp(begin.at))
		}
	}
}
