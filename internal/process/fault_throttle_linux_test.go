package process

import (
	"testing"
	"time"
)

// TestFaultThrottle: a busy tree uses about its share, over three seconds; afterwards it goes on.
func TestFaultThrottle(t *testing.T) {
	s := newShepherd(t)
	p := shell(t, s, "yes >/dev/null & exec yes >/dev/null")
	tree := grown(t, p.PID(), 2)
	used := func() (sum time.Duration) {
		for _, pid := range tree {
			at, err := processorTime(pid)
			if err != nil {
				t.Fatal(err)
			}
			sum += at
		}
		return sum
	}
	undo := inject(t, p, Fault{Kind: FaultThrottle, Share: 0.2})
	before, began := used(), time.Now()
	eventually(t, "it has used 600 ms", func() bool { return used()-before > 600*time.Millisecond })
	// however busy the machine is, it must not get much more than its share; the last period's
	// excess is not made up yet
	if took := time.Since(began); took < 1800*time.Millisecond {
		t.Errorf("600 ms of a processor at a fifth of one took %v, want three seconds", took)
	}
	if err := undo(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it goes on", func() bool { return noneStopped(t, p.PID()) })
}

func TestQuota(t *testing.T) {
	start := time.Unix(1000, 0)
	const ms = time.Millisecond
	q := quota{period: 100 * ms, part: 5 * ms, processors: 2}
	q.begin(start, 0)
	steps := []struct {
		at, used time.Duration
		stop     bool
		next     time.Duration
	}{
		{0, 0, false, 2500 * time.Microsecond},
		{3 * ms, 3 * ms, false, 4 * ms},
		{4 * ms, 4900 * time.Microsecond, false, 4200 * time.Microsecond},
		{4200 * time.Microsecond, 5 * ms, true, 100 * ms},
		{99 * ms, 0, false, 100 * ms}, // not later than the end of the period
	}
	for _, step := range steps {
		stop, next := q.decide(start.Add(step.at), step.used)
		if stop != step.stop || next.Sub(start) != step.next {
			t.Errorf("at %v, used %v: stop %v, next %v; want %v, %v", step.at, step.used, stop, next.Sub(start), step.stop, step.next)
		}
	}
	const least = 1250 * time.Microsecond // a quarter of the part
	for _, period := range []struct{ over, want time.Duration }{
		{-3 * ms, 5 * ms}, {0, 5 * ms}, {2 * ms, 3 * ms}, {0, 5 * ms},
		{9 * ms, least}, {0, least}, {-ms, 3500 * time.Microsecond}, {0, 5 * ms}, // 3.75, 3.75 and 1.5 of the 9
		{3 * ms, 2 * ms}, {3 * ms, 2 * ms},
		{time.Hour, least},
	} {
		if q.begin(start, period.over); q.budget != period.want {
			t.Errorf("after %v too much the budget is %v, want %v", period.over, q.budget, period.want)
		}
	}
	periods := 0 // 50 ms are remembered, 3.75 paid
	for ; q.budget != q.part; periods++ {
		q.begin(start, 0)
	}
	if periods != 14 {
		t.Errorf("an hour too much is paid for in %d further periods, want 14", periods)
	}
}
