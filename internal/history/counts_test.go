package history

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/metrics"
)

// TestCounts: warnings are successes, an attempt without a verdict is nothing (R222), and what the
// tape has forgotten still counts.
func TestCounts(t *testing.T) {
	var recorder Recorder
	pod := recorder.Add("uid")
	reader := recorder.Reader()
	if got := reader.Counts("uid"); got != nil {
		t.Errorf("before the first attempt: %+v", got)
	}
	live := pod.Probe(Key{"web", "Liveness"}, Probing{})
	ready := pod.Probe(Key{"web", "Readiness"}, Probing{})
	for i, outcome := range []Outcome{Answered, Warning, NoVerdict, Failed, TimedOut, Failed} {
		pod.Attempt(live, Attempt{Outcome: outcome, Instance: i, Took: 20 * time.Millisecond}, Detail{})
	}
	for range 3 * maxAttempts {
		pod.Attempt(ready, Attempt{Took: time.Minute}, Detail{})
	}
	distribution := func(bucket int, n uint64, sum time.Duration) metrics.Distribution {
		d := metrics.Distribution{Bounds: durationBounds[:], Counts: make([]uint64, len(durationBounds)+1), Sum: sum}
		d.Counts[bucket] = n
		return d
	}
	want := []ProbeCounts{
		{Key{"web", "Liveness"}, distribution(2, 2, 40*time.Millisecond), 3},
		{Key{"web", "Readiness"}, distribution(11, 3*maxAttempts, 3*maxAttempts*time.Minute), 0},
	}
	if diff := cmp.Diff(want, reader.Counts("uid")); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	recorder.Remove("uid")
	if got := reader.Counts("uid"); got != nil {
		t.Errorf("of a Pod that is gone: %+v", got)
	}
}
