package tune

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/simulate/script"
)

// delayed answers what was asked in a stretch so much later.
func delayed(begin, length, by float64) func(s *Sample) {
	return func(s *Sample) {
		if s.Sent >= begin && s.Sent < begin+length {
			s.Done += by
		}
	}
}

func TestSlowStretches(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *Sample)
		want   []Slow // their times within an interval
	}{
		"calm":                       {func(*Sample) {}, nil},
		"late by less than a second": {delayed(10, 20, 0.9), nil},
		"steadily late":              {delayed(10, 20, 2.9), []Slow{{10, 20, 2}}},
		"for less than a second":     {delayed(10, 0.9, 2.5), nil},
		"a stall":                    {stalled(10, 20), nil},
		"two stalls, one long":       {func(s *Sample) { stalled(10, 20)(s); stalled(40, 2)(s) }, nil},
		"errors":                     {func(s *Sample) { s.Good = s.Sent < 10 || s.Sent >= 30 }, nil},
		"late after a stall":         {func(s *Sample) { delayed(15, 20, 2)(s); stalled(10, 5)(s) }, []Slow{{15, 20, 2}}},
		"later and later":            {func(s *Sample) { delayed(10, 20, 1.5)(s); delayed(15, 10, 2)(s) }, []Slow{{10, 20, 1}, {15, 10, 3}}},
		"each second one":            {func(s *Sample) { delayed(10, 20, 2*math.Mod(math.Round(s.Sent*20), 2))(s) }, nil},
		"nobody asked":               {func(s *Sample) { tardy(s, 10, 20) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := NewWindow("", 60, 0.05, steady(60, c.change))
			near := func(x, y float64) bool { return math.Abs(x-y) < 0.051 }
			if !slices.EqualFunc(w.Slow, c.want, func(a, b Slow) bool { return near(a.Begin, b.Begin) && near(a.Length, b.Length) && a.Than == b.Than }) {
				t.Errorf("slow %+v, want %+v (stalls %+v)", w.Slow, c.want, w.Stalls)
			}
			if err := w.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Answers that come late, but come, fail the ticks of a probe whose timeout is shorter.
func TestReplayOfSlowAnswers(t *testing.T) {
	w := NewWindow("", 600, 0.05, steady(600, delayed(100, 60, 2.9)))
	for s, want := range map[Setting]int{{1, 1, 3}: 1, {5, 2, 3}: 1, {3, 3, 3}: 0, {10, 2, 7}: 0} {
		if o := Replay([]Window{w}, s); o.Most != want {
			t.Errorf("%v restarts %d times, want %d: for 60 s answers take 2.9 s", s, o.Most, want)
		}
	}
	both := Window{Seconds: 600, Stalls: []Stall{{Begin: 100, Length: 12}}, Slow: []Slow{{Begin: 110, Length: 10, Than: 1}}}
	if o := Replay([]Window{both}, Setting{5, 1, 4}); o.Most != 1 {
		t.Errorf("a stall of 12 s, and slow answers until 20 s: %+v, want a restart", o)
	}
}

// Slow answers count: tune chooses a timeout that waits for them, and does not promise what they
// contradict.
func TestRecommendWithSlowAnswers(t *testing.T) {
	c := served()
	c.Endpoints[0].Windows[0].Slow = []Slow{{Begin: 100, Length: 60, Than: 2}}
	a := Recommend(c, now(), Objectives{})
	if live := a.Choice("liveness"); live == nil || live.Next.Timeout != 3 {
		t.Errorf("liveness %+v, want a timeout of 3 s", live)
	}
	a = Recommend(c, now(), Objectives{Survive: 8}) // today's are enough for that
	if p := promiseOf(a, "false-restarts"); !strings.Contains(p.Text, "1 times in all at the worst phase") {
		t.Errorf("promised: %s", p.Text)
	}
	if !slices.ContainsFunc(a.Notes, func(n string) bool { return strings.Contains(n, "timeoutSeconds 1 for 60 s at a time") }) {
		t.Errorf("notes %q do not say that answers were slow", a.Notes)
	}
}

// The script has slow answers, those within others with what they add.
func TestScriptOfSlowAnswers(t *testing.T) {
	s := example()
	s.Containers[0].Endpoints[0].Windows[1].Slow = []Slow{{Begin: 100, Length: 60, Than: 1}, {Begin: 110, Length: 20, Than: 3}}
	text, _ := s.Script()
	read, err := script.Decode("script", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var late []float64
	for _, f := range read.Faults {
		if f.Kind == script.FaultSlow {
			late = append(late, f.Latency.Seconds())
		}
	}
	if !slices.Equal(late, []float64{1, 2}) {
		t.Errorf("latencies %v, want 1 s and 2 s more:\n%s", late, text)
	}
}
