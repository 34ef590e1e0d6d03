package tune

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// hostile is a window of n stalls, each long enough for most probes, so that all of them are one
// cluster for slow ones.
func hostile(n int) Window {
	w := Window{Samples: 100}
	for i := range n {
		length := 5 + float64(i%60)
		w.Stalls = append(w.Stalls, Stall{Begin: w.Seconds, Length: length, Errors: true})
		w.Seconds += length + 0.5 + float64(i%70)
	}
	return w
}

// TestReplayGivesUp: of a setting that a rate forbids only as much is played as it takes to know
// that, also where all stalls are one cluster; and what is allowed is played as a whole.
func TestReplayGivesUp(t *testing.T) {
	windows := []Window{hostile(2000)}
	for _, s := range []Setting{{1, 1, 3}, {10, 1, 3}, {20, 5, 2}} {
		all := Replay(windows, s)
		sum := 0.0
		for _, w := range all.Weights {
			sum += w
		}
		if sum == 0 {
			t.Fatalf("%v: nothing is restarted", s)
		}
		if _, whole := replay(windows, s, sum/2); whole {
			t.Errorf("%v: half of %g restarts is allowed, and it is played to the end", s, sum)
		}
		if got, whole := replay(windows, s, sum); !whole || len(got.Weights) != len(all.Weights) || got.Most != all.Most {
			t.Errorf("%v: what is allowed is not played as a whole: %d of %d events", s, len(got.Weights), len(all.Weights))
		}
	}
	one := hostile(100_000).Stalls
	if n := restarts(one, Setting{1, 1, 3}, 0, 5); n != 6 {
		t.Errorf("%d restarts are counted where 5 are the most", n)
	}
	if n := restarts(one[:100], Setting{1, 1, 3}, 0, math.Inf(1)); n <= 6 {
		t.Errorf("%d restarts in all", n)
	}
}

// TestHugeSeries: what would take minutes to judge is refused, in one file and of several together.
func TestHugeSeries(t *testing.T) {
	series := func(stalls int) *Series {
		return &Series{Schema: Schema, Containers: []Container{{Workload: "deployment/web", Name: "web", Endpoints: []Endpoint{{Probes: []string{"liveness"}, Request: Request{Text: "GET /"}, Windows: []Window{hostile(stalls)}}}}}}
	}
	const want = "are the most: use fewer series at a time"
	half := series(maxItems * 2 / 3)
	if err := half.CheckSize(); err != nil {
		t.Error(err)
	}
	if err := Merge(half, half).CheckSize(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("two of them together: %v", err)
	}
	var b bytes.Buffer
	if err := series(maxItems).Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(&b); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a file: %v", err)
	}
}
