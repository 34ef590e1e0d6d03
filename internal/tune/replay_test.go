package tune

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/timing"
)

func window(stalls ...Stall) []Window { return []Window{{Seconds: 3600, Stalls: stalls}} }

// A stall that stands alone acts at the share of the phases that package timing says, which a
// property test holds to the kubelet's rules.
func TestReplayIsTiming(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s := Setting{Period: 1 + r.IntN(20), Failures: 1 + r.IntN(6)}
		s.Timeout = 1 + r.IntN(s.Period)
		stall := Stall{Begin: 1000 + r.Float64()*100, Length: 0.1 + r.Float64()*1.5*float64(s.Certain())}
		p := timing.Probe{Period: time.Duration(s.Period) * time.Second, Timeout: time.Duration(s.Timeout) * time.Second, Failures: s.Failures}
		want := p.ActsOn(time.Duration(stall.Length * float64(time.Second)))
		got := 0.0
		for _, w := range Replay(window(stall), s).Weights {
			got += w
		}
		if math.Abs(got-want) > 1.0/phases+1e-9 {
			t.Fatalf("%v, stall of %v s: %v of the phases act, want %v", s, stall.Length, got, want)
		}
	}
}

func TestReplay(t *testing.T) {
	three := Setting{Period: 10, Timeout: 1, Failures: 3}
	for name, c := range map[string]struct {
		s      Setting
		stalls []Stall
		want   float64 // restarts, on average
		events int
	}{
		"tolerated":                            {three, []Stall{{Begin: 100, Length: 21}}, 0, 0},
		"certain":                              {three, []Stall{{Begin: 100, Length: 31}}, 1, 1},
		"a restart ends its stall":             {three, []Stall{{Begin: 100, Length: 310}}, 1, 1},
		"in between":                           {three, []Stall{{Begin: 100, Length: 26}}, 0.5, 1},
		"two that stand alone":                 {three, []Stall{{Begin: 100, Length: 31}, {Begin: 1000, Length: 31}}, 2, 2},
		"two close together are one event":     {three, []Stall{{Begin: 100, Length: 31}, {Begin: 150, Length: 31}}, 2, 1},
		"neighbours add up":                    {three, []Stall{{Begin: 100, Length: 19}, {Begin: 120, Length: 19}}, 0.8, 1},
		"a good attempt between them":          {three, []Stall{{Begin: 100, Length: 11}, {Begin: 125, Length: 11}}, 0, 0},
		"bad answers fail without a timeout":   {three, []Stall{{Begin: 100, Length: 30, Errors: true}}, 1, 1},
		"bad answers, shorter than two ticks":  {three, []Stall{{Begin: 100, Length: 20, Errors: true}}, 0, 0},
		"shorter than the timeout":             {Setting{5, 5, 1}, []Stall{{Begin: 100, Length: 4.9}}, 0, 0},
		"a failureThreshold of one":            {Setting{5, 1, 1}, []Stall{{Begin: 100, Length: 6}}, 1, 1},
		"short ones that only look like a run": {Setting{1, 1, 3}, []Stall{{Begin: 100, Length: 1.4}, {Begin: 101.5, Length: 1.4}, {Begin: 103, Length: 1.4}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := Replay(window(c.stalls...), c.s)
			sum := 0.0
			for _, w := range o.Weights {
				sum += w
			}
			if math.Abs(sum-c.want) > 0.051 || len(o.Weights) != c.events || o.Hours != 1 {
				t.Errorf("%v restarts in %d events of %v h, want %v in %d of 1 h", sum, len(o.Weights), o.Hours, c.want, c.events)
			}
		})
	}
}

// Windows do not touch: the end of one and the beginning of the next were measured at other times.
func TestReplayOfWindows(t *testing.T) {
	s := Setting{Period: 10, Timeout: 1, Failures: 3}
	list := append(window(Stall{Begin: 3580, Length: 20}), window(Stall{Begin: 0, Length: 20})...)
	if o := Replay(list, s); len(o.Weights) != 0 || o.Hours != 2 || o.Most != 0 {
		t.Errorf("got %+v, want nothing in 2 h", o)
	}
}

func TestSettings(t *testing.T) {
	n, last := 0, Setting{}
	for s := range settings(0) {
		n++
		if s.Timeout > s.Period || s.Certain() < last.Certain() || s.Certain() == last.Certain() && s.Period > last.Period {
			t.Fatalf("%v follows %v", s, last)
		}
		last = s
	}
	if want := 60 * 61 / 2 * 20; n != want {
		t.Errorf("%d settings, want %d: periods to 60 s, timeouts to the period, thresholds to 20", n, want)
	}
	for s := range settings(7) {
		last = s
	}
	if last.Certain() != 7 {
		t.Errorf("the last that acts within 7 s is %v", last)
	}
}
