package script

import (
	"fmt"
	"math"
	"time"
)

// Shape names a family of distributions.
type Shape string

// The shapes. The zero value of a Distribution is a constant.
const (
	Constant    Shape = ""
	Uniform     Shape = "uniform"
	Normal      Shape = "normal" // cut off at 0
	Lognormal   Shape = "lognormal"
	Exponential Shape = "exponential"
)

// Distribution is a time, fixed or by chance. It is comparable; the zero value is the constant 0.
type Distribution struct {
	Shape Shape
	// A and B are: constant: the value; uniform: from, to; normal: mean, deviation; lognormal:
	// median, 99th percentile; exponential: mean.
	A, B time.Duration
}

// Fixed is a constant.
func Fixed(d time.Duration) Distribution { return Distribution{A: d} }

// IsZero reports whether it is always 0.
func (d Distribution) IsZero() bool { return d == Distribution{} }

// IsFixed reports whether there is no chance in it.
func (d Distribution) IsFixed() bool { return d.Shape == Constant }

const z99 = 2.3263478740408408 // the 99th percentile of the standard normal distribution

// sigma is the standard deviation of a lognormal's logarithm.
func (d Distribution) sigma() float64 { return math.Log(float64(d.B)/float64(d.A)) / z99 }

// Quantile is the time that the share u of all draws does not exceed; u lies in [0, 1).
func (d Distribution) Quantile(u float64) time.Duration {
	switch d.Shape {
	case Uniform:
		return d.A + time.Duration(u*float64(d.B-d.A))
	case Normal:
		if d.B == 0 {
			return d.A
		}
		low := phi(-float64(d.A) / float64(d.B)) // the part below 0 is cut off
		return clampTime(float64(d.A) + invPhi(low+u*(1-low))*float64(d.B))
	case Lognormal:
		return clampTime(float64(d.A) * math.Exp(d.sigma()*invPhi(u)))
	case Exponential:
		return clampTime(-math.Log1p(-u) * float64(d.A))
	default:
		return d.A
	}
}

// times is the distribution of so many times as long.
func (d Distribution) times(factor float64) Distribution {
	scaled := func(t time.Duration) time.Duration { return clampTime(factor * float64(t)) }
	return Distribution{d.Shape, scaled(d.A), scaled(d.B)}
}

// Exceeds is the probability that a draw is longer than t.
func (d Distribution) Exceeds(t time.Duration) float64 {
	switch d.Shape {
	case Uniform:
		if d.B == d.A {
			return exceedsFixed(d.A, t)
		}
		return min(max(float64(d.B-t)/float64(d.B-d.A), 0), 1)
	case Normal:
		if d.B == 0 || t < 0 {
			return exceedsFixed(d.A, t)
		}
		low := phi(-float64(d.A) / float64(d.B))
		return (1 - phi(float64(t-d.A)/float64(d.B))) / (1 - low)
	case Lognormal:
		if t <= 0 {
			return 1
		}
		return 1 - phi(math.Log(float64(t)/float64(d.A))/d.sigma())
	case Exponential:
		return math.Exp(-max(float64(t), 0) / float64(d.A))
	default:
		return exceedsFixed(d.A, t)
	}
}

func exceedsFixed(value, t time.Duration) float64 {
	if value > t {
		return 1
	}
	return 0
}

// Max is the longest possible draw; [Infinity] if there is no bound.
func (d Distribution) Max() time.Duration {
	switch d.Shape {
	case Uniform:
		return d.B
	case Constant:
		return d.A
	default:
		return Infinity
	}
}

// Expect is the mean of f over the distribution, by the midpoint rule over its quantiles.
func (d Distribution) Expect(f func(time.Duration) float64) float64 {
	if d.IsFixed() {
		return f(d.A)
	}
	const steps = 20_000
	sum := 0.0
	for i := range steps {
		sum += f(d.Quantile((float64(i) + 0.5) / steps))
	}
	return sum / steps
}

// Mean is its mean.
func (d Distribution) Mean() time.Duration {
	if d.Shape == Exponential {
		return d.A
	}
	return clampTime(d.Expect(func(t time.Duration) float64 { return float64(t) }))
}

// String gives "45s" or "lognormal, median 40s, p99 1m30s".
func (d Distribution) String() string {
	switch d.Shape {
	case Uniform:
		return fmt.Sprintf("uniform, %s to %s", FormatDuration(d.A), FormatDuration(d.B))
	case Normal:
		return fmt.Sprintf("normal, mean %s, deviation %s", FormatDuration(d.A), FormatDuration(d.B))
	case Lognormal:
		return fmt.Sprintf("lognormal, median %s, p99 %s", FormatDuration(d.A), FormatDuration(d.B))
	case Exponential:
		return fmt.Sprintf("exponential, mean %s", FormatDuration(d.A))
	default:
		return FormatDuration(d.A)
	}
}

// Infinity is longer than any simulation.
const Infinity = time.Duration(1 << 61)

func clampTime(f float64) time.Duration {
	if f >= float64(Infinity) {
		return Infinity
	}
	return time.Duration(max(f, 0))
}

func phi(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

func invPhi(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }
