package tune

import (
	"math"
	"testing"
)

// The quantiles of the chi-squared distribution are twice those of a gamma distribution with half
// the degrees of freedom; these are from the tables that everybody prints.
func TestGammaQuantile(t *testing.T) {
	for _, c := range []struct{ degrees, p, chi float64 }{
		{1, 0.95, 3.841459}, {2, 0.95, 5.991465}, {3, 0.95, 7.814728}, {4, 0.95, 9.487729}, {10, 0.95, 18.307038}, {20, 0.95, 31.410433},
		{100, 0.95, 124.342113}, {1, 0.05, 0.003932}, {2, 0.05, 0.102587}, {10, 0.05, 3.940299}, {30, 0.05, 18.492661}, {100, 0.99, 135.806723},
	} {
		if got := 2 * gammaQuantile(c.degrees/2, c.p); math.Abs(got-c.chi) > 1e-6*max(c.chi, 1) {
			t.Errorf("chi-squared with %v degrees at %v = %v, want %v", c.degrees, c.p, got, c.chi)
		}
	}
}

// P(n, x) is the probability that a Poisson count of mean x is n at least, a finite sum.
func TestGammaBelow(t *testing.T) {
	for _, n := range []int{1, 2, 5, 17, 60} {
		for _, x := range []float64{0.01, 0.5, 1, 4.9, 5.1, 20, 61, 100} {
			term, below := math.Exp(-x), 0.0
			for k := range n {
				below += term
				term *= x / float64(k+1)
			}
			if got := gammaBelow(float64(n), x); math.Abs(got-(1-below)) > 1e-12 {
				t.Errorf("P(%d, %v) = %v, want %v", n, x, got, 1-below)
			}
		}
	}
	if got := gammaBelow(0.5, 1); math.Abs(got-math.Erf(1)) > 1e-14 {
		t.Errorf("P(1/2, 1) = %v, want erf(1) = %v", got, math.Erf(1))
	}
	if a, b := gammaBelow(3, 0), gammaBelow(3, math.Inf(1)); a != 0 || b != 1 {
		t.Errorf("P(3, 0), P(3, ∞) = %v, %v, want 0, 1", a, b)
	}
}
