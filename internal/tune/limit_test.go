package tune

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Garwood's exact limits of a Poisson count, one-sided at 95 %.
func TestLimitsAreExact(t *testing.T) {
	for _, c := range []struct {
		count        int
		lower, upper float64
	}{{0, 0, 2.9957}, {1, 0.0513, 4.7439}, {2, 0.3554, 6.2958}, {5, 1.9701, 10.5130}, {10, 5.4254, 16.9622}, {50, 38.9647, 63.2871}} {
		b := Limits(ones(c.count), 1, 1)
		if math.Abs(b.Lower-c.lower) > 1e-4 || math.Abs(b.Upper-c.upper) > 1e-4 {
			t.Errorf("%d events: %v to %v, want %v to %v", c.count, b.Lower, b.Upper, c.lower, c.upper)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Run("hours", func(t *testing.T) {
		one, ten := Limits(ones(4), 1, 1), Limits(ones(4), 1, 10)
		if math.Abs(one.Upper-10*ten.Upper) > 1e-9 || one.Rate != 4 || ten.Rate != 0.4 {
			t.Errorf("in one hour %+v, in ten %+v", one, ten)
		}
	})
	t.Run("shares of an event", func(t *testing.T) {
		none, half, one := Limits(nil, 1, 1), Limits([]float64{0.5}, 1, 1), Limits([]float64{1}, 1, 1)
		if !(none.Upper < half.Upper && half.Upper < one.Upper) {
			t.Errorf("upper limits of none, half an event and one: %v, %v, %v", none.Upper, half.Upper, one.Upper)
		}
	})
	t.Run("an event of several restarts", func(t *testing.T) {
		together, apart := Limits([]float64{4}, 1, 1), Limits(ones(4), 1, 1)
		if together.Rate != apart.Rate || together.Upper <= apart.Upper || together.Lower >= apart.Lower {
			t.Errorf("four at once %+v, four by themselves %+v: the first says less", together, apart)
		}
	})
	t.Run("pairs", func(t *testing.T) { // say what five do, of twice the size
		pairs, five := Limits(ones(10), 2, 1), Limits(ones(5), 1, 1)
		if math.Abs(pairs.Upper-2*five.Upper) > 1e-9 || math.Abs(pairs.Lower-2*five.Lower) > 1e-9 {
			t.Errorf("ten in pairs %+v, five by themselves %+v", pairs, five)
		}
	})
	t.Run("company", func(t *testing.T) {
		if got, want := Limits(nil, 3, 1).Upper, 3*Floor(1); math.Abs(got-want) > 1e-9 {
			t.Errorf("nothing seen of what comes in threes: up to %v, want %v", got, want)
		}
	})
}

// Where stalls come several at a time, as many as is assumed, the limit lies below the true rate in
// one of twenty measurements at most. The seeds are fixed.
func TestLimitsCoverCompany(t *testing.T) {
	const runs = 4000
	for _, company := range []int{1, 2, 3, 5} {
		for _, groups := range []float64{3, 5, 10, 40} { // the truth, in an hour
			random := rand.New(rand.NewPCG(uint64(company), uint64(groups)))
			uppers := map[int]float64{}
			covered := 0
			for range runs {
				n := company * poisson(random, groups)
				if _, known := uppers[n]; !known {
					uppers[n] = Limits(ones(n), float64(company), 1).Upper
				}
				if uppers[n] >= groups*float64(company) {
					covered++
				}
			}
			if share := float64(covered) / runs; share < Confidence-0.005 { // what chance takes of so many
				t.Errorf("%d at a time, %v times an hour: the limit covers that in %.1f %% of %d measurements, want 95 %%", company, groups, 100*share, runs)
			}
		}
	}
}

// poisson draws how many of so many events on average there are.
func poisson(r *rand.Rand, mean float64) (n int) {
	for at := r.ExpFloat64(); at < mean; at += r.ExpFloat64() {
		n++
	}
	return n
}

func TestFloor(t *testing.T) {
	if got := Floor(1.0 / 3); math.Abs(got-8.987) > 1e-3 {
		t.Errorf("20 minutes support %v an hour, want 9", got)
	}
	if got := Floor(0); !math.IsInf(got, 1) {
		t.Errorf("nothing supports %v", got)
	}
}
