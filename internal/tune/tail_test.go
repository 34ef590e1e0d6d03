package tune

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The tail that is fitted to stalls of known law is about that.
func TestFitTail(t *testing.T) {
	for name, c := range map[string]struct {
		draw  func(r *rand.Rand) float64
		shape float64
	}{
		"exponential": {func(r *rand.Rand) float64 { return 2 * r.ExpFloat64() }, 0},
		"Pareto":      {func(r *rand.Rand) float64 { return math.Pow(1-r.Float64(), -1.0/4) }, 0.25},
		"uniform":     {func(r *rand.Rand) float64 { return 10 * r.Float64() }, -1},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 1))
			w := Window{Seconds: 3600 * 5000}
			for i := range 10_000 {
				w.Stalls = append(w.Stalls, Stall{Begin: float64(i) * 1500, Length: c.draw(r)})
			}
			tail := FitTail([]Window{w})
			if tail == nil || math.Abs(tail.Shape-c.shape) > 0.1 || math.Abs(tail.Rate-0.4) > 0.01 {
				t.Fatalf("got %+v, want the shape %v", tail, c.shape)
			}
			longer := 0
			for _, s := range w.Stalls {
				if s.Length > tail.Above*1.5 {
					longer++
				}
			}
			if got, want := tail.Exceeds(tail.Above*1.5), float64(longer)/5000; math.Abs(got-want) > 0.05*want+0.005 {
				t.Errorf("%v stalls an hour are longer than %v s, want %v", got, tail.Above*1.5, want)
			}
		})
	}
	if tail := FitTail(window(Stall{Begin: 1, Length: 2})); tail != nil {
		t.Errorf("one stall has the tail %+v", tail)
	}
}
