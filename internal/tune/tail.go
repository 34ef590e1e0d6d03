package tune

import (
	"math"
	"slices"
)

// Tail is a generalised Pareto distribution that was fitted to the longest stalls. It says what
// nobody has measured: where it is right it is useful, and nothing tells whether it is.
type Tail struct {
	// Above is the threshold in seconds; Stalls are those that are longer, of which it was made.
	Above  float64 `json:"above"`
	Stalls int     `json:"stalls"`
	// Shape and Scale are its parameters. A positive shape is a heavy tail.
	Shape float64 `json:"shape"`
	Scale float64 `json:"scale"`
	// Rate is how many stalls an hour are longer than Above.
	Rate float64 `json:"rate"`
	// FalseRestarts are those an hour that the recommended liveness probe would bring.
	FalseRestarts float64 `json:"falseRestarts"`
}

// leastTail is how many stalls it takes to fit a tail at all.
const leastTail = 20

// FitTail fits a tail to the longest fifth of the stalls, by their probability-weighted moments;
// nil if there are too few.
func FitTail(windows []Window) *Tail {
	l := NewJudge(windows)
	k := max(len(l.silent)/5, leastTail)
	if k >= len(l.silent) {
		return nil
	}
	above := l.silent[k]
	var mean, weighted float64
	over := slices.Clone(l.silent[:k])
	slices.Reverse(over) // the shortest first
	for i, d := range over {
		x := d - above
		mean += x / float64(k)
		weighted += x * (float64(k-i) - 0.65) / float64(k) / float64(k) // by the share that is longer
	}
	if mean <= 0 || mean <= 2*weighted {
		return nil // all alike
	}
	return &Tail{
		Above: above, Stalls: k, Rate: float64(k) / l.hours,
		Shape: 2 - mean/(mean-2*weighted), Scale: 2 * mean * weighted / (mean - 2*weighted),
	}
}

// Exceeds is how many stalls an hour are longer than so many seconds.
func (t *Tail) Exceeds(seconds float64) float64 {
	x := max(seconds-t.Above, 0) / t.Scale
	if math.Abs(t.Shape) < 1e-9 {
		return t.Rate * math.Exp(-x)
	}
	return t.Rate * math.Pow(max(1+t.Shape*x, 0), -1/t.Shape)
}

// restarts are those an hour that a setting would bring: a stall between A and A + P acts at its
// share of the phases.
func (t *Tail) restarts(s Setting) float64 {
	const steps = 200
	sum := 0.0
	for i := range steps {
		sum += t.Exceeds(float64(s.Tolerated()) + (float64(i)+0.5)/steps*float64(s.Period))
	}
	return sum / steps
}

// AddModel adds what a fitted tail says of the recommended liveness probe, if there are enough
// stalls to fit one.
func (a *Advice) AddModel(c *Container) {
	live := a.Choice("liveness")
	if c == nil || live == nil || c.Endpoint("liveness") == nil {
		return
	}
	a.Model = FitTail(c.Endpoint("liveness").Windows)
	if a.Model == nil {
		a.Notes = append(a.Notes, "No tail was fitted: there are too few stalls, or all are alike.")
		return
	}
	a.Model.FalseRestarts = a.Model.restarts(live.Next)
}
