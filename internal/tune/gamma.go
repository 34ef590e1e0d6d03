package tune

import "math"

// How exact the incomplete gamma function and its inverse are.
const (
	gammaSteps = 10_000 // of a series or a fraction: the square root of the shape times some
	gammaClose = 1e-15
)

// gammaBelow is P(shape, x), the regularised lower incomplete gamma function: the probability that
// a variable of the gamma distribution with this shape and scale 1 is at most x. shape is positive.
func gammaBelow(shape, x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case math.IsInf(x, 1):
		return 1
	case x < shape+1:
		return gammaSeries(shape, x)
	}
	return 1 - gammaFraction(shape, x)
}

// gammaFactor is x^shape · e^-x / Γ(shape), which both expansions have.
func gammaFactor(shape, x float64) float64 {
	log, _ := math.Lgamma(shape)
	return math.Exp(shape*math.Log(x) - x - log)
}

// gammaSeries is P by its power series, which converges fast below the mean.
func gammaSeries(shape, x float64) float64 {
	term := 1 / shape
	sum := term
	for n := 1; n < gammaSteps && term > sum*gammaClose; n++ {
		term *= x / (shape + float64(n))
		sum += term
	}
	return sum * gammaFactor(shape, x)
}

// gammaFraction is 1 - P by Legendre's continued fraction, which converges fast above the mean. It
// is worked out from the front, as numerator and denominator of each step over those of the last.
func gammaFraction(shape, x float64) float64 {
	const tiny = 1e-300 // in the place of a zero that would divide
	b := x + 1 - shape
	c, d := 1/tiny, 1/b
	value := d
	for n := 1; n < gammaSteps; n++ {
		a := -float64(n) * (float64(n) - shape)
		b += 2
		if d = a*d + b; math.Abs(d) < tiny {
			d = tiny
		}
		if c = b + a/c; math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		step := d * c
		value *= step
		if math.Abs(step-1) < gammaClose {
			break
		}
	}
	return value * gammaFactor(shape, x)
}

// gammaQuantile is the x at which [gammaBelow] is p, by halving: it is rarely asked for, and that
// cannot fail. p lies between 0 and 1.
func gammaQuantile(shape, p float64) float64 {
	low, high := 0.0, shape+1
	for gammaBelow(shape, high) < p {
		low, high = high, 2*high
	}
	for range 200 {
		middle := low + (high-low)/2
		if middle == low || middle == high {
			break
		}
		if gammaBelow(shape, middle) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
