package tune

import (
	"math"
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
	t.Run("company", func(t *testing.T) {
		if got, want := Limits(nil, 3, 1).Upper, 3*Floor(1); math.Abs(got-want) > 1e-9 {
			t.Errorf("nothing seen of what comes in threes: up to %v, want %v", got, want)
		}
	})
}

func TestFloor(t *testing.T) {
	if got := Floor(1.0 / 3); math.Abs(got-8.987) > 1e-3 {
		t.Errorf("20 minutes support %v an hour, want 9", got)
	}
	if got := Floor(0); !math.IsInf(got, 1) {
		t.Errorf("nothing supports %v", got)
	}
}
