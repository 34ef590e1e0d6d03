package tune

import (
	"math"
	"testing"
)

// steady are samples each 50 ms for so many seconds, answered after 5 ms, as change leaves them.
func steady(seconds float64, change func(s *Sample)) (list []Sample) {
	for i := range int(seconds * 20) {
		due := float64(i) / 20
		s := Sample{Due: due, Sent: due, Done: due + 0.005, Good: true}
		change(&s)
		list = append(list, s)
	}
	return list
}

// stalled answers what was asked in a stretch at its end.
func stalled(begin, length float64) func(s *Sample) {
	return func(s *Sample) {
		if s.Sent >= begin && s.Sent < begin+length {
			s.Done = begin + length
		}
	}
}

func TestNewWindow(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *Sample)
		want   []Stall // their lengths within an interval
	}{
		"calm":                 {func(*Sample) {}, nil},
		"a stall":              {stalled(3.02, 2.1), []Stall{{Begin: 3.02, Length: 2.1}}},
		"a short one":          {stalled(3.02, 0.1), nil},
		"slow is no stall":     {func(s *Sample) { s.Done += 0.7 }, []Stall{{Begin: 0, Length: 0.7}}}, // but for the first answer
		"errors":               {func(s *Sample) { s.Good = s.Sent < 4 || s.Sent >= 6 }, []Stall{{Begin: 4, Length: 2, Errors: true}}},
		"to the end":           {func(s *Sample) { s.Good = s.Sent < 8; s.Silent = !s.Good }, []Stall{{Begin: 8, Length: 2}}},
		"nobody asked":         {func(s *Sample) { tardy(s, 3, 2) }, nil},
		"a stall, asked late":  {func(s *Sample) { tardy(s, 3, 0.5); stalled(3, 2)(s) }, []Stall{{Begin: 3, Length: 2}}},
		"two":                  {func(s *Sample) { stalled(2, 1)(s); stalled(5, 0.6)(s) }, []Stall{{Begin: 2, Length: 1}, {Begin: 5, Length: 0.6}}},
		"nothing good at all":  {func(s *Sample) { s.Good, s.Silent = false, true }, []Stall{{Begin: 0, Length: 10}}},
		"an answer after ages": {func(s *Sample) { stalled(9, 3)(s) }, []Stall{{Begin: 9, Length: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := NewWindow("", 10, 0.05, steady(10, c.change))
			same := len(w.Stalls) == len(c.want)
			for i := 0; same && i < len(c.want); i++ {
				got, want := w.Stalls[i], c.want[i]
				same = got.Length >= want.Length-0.001 && got.Length <= want.Length+0.051 && math.Abs(got.Begin-want.Begin) <= 0.051 && got.Errors == want.Errors
			}
			if !same {
				t.Errorf("stalls %+v, want %+v", w.Stalls, c.want)
			}
			if err := w.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// tardy sends what was due in a stretch when that is over.
func tardy(s *Sample, begin, length float64) {
	if s.Due >= begin && s.Due < begin+length {
		s.Sent = begin + length
		s.Done = s.Sent + 0.005
	}
}

func TestNewWindowCounts(t *testing.T) {
	w := NewWindow("20/s GET /", 10, 0.05, steady(10, func(s *Sample) { tardy(s, 3, 2); stalled(7, 2)(s) }))
	if w.Samples != 200 || w.Tainted != 40 || w.Load != "20/s GET /" {
		t.Errorf("%d samples, %d tainted, load %q; want 200, 40", w.Samples, w.Tainted, w.Load)
	}
	if p := w.Latency.Quantile(0.999); p > 0.006 || w.Latency.Count() < 155 || w.Latency.Count() > 161 {
		t.Errorf("%d answers, p99.9 %v: those of a stall are not latency", w.Latency.Count(), p)
	}
}

func TestSketch(t *testing.T) {
	var s, other Sketch
	for i := range 1000 {
		s.Add(float64(i+1) / 1000)
	}
	other.Add(1e-6)
	other.Add(1e9)
	for _, q := range []float64{0.1, 0.5, 0.9, 0.999} {
		if got := s.Quantile(q); got < q || got > q*1.1 {
			t.Errorf("quantile %v of 1 to 1000 ms = %v s", q, got)
		}
	}
	s.Join(other)
	if s.Count() != 1002 || s.Quantile(0) > 2*sketchFirst || (Sketch{}).Quantile(0.5) != 0 {
		t.Errorf("count %d, least %v", s.Count(), s.Quantile(0))
	}
}
