package tune

import "math"

// Confidence is how sure a limit is: of all measurements, the true rate lies above the upper limit
// in one of twenty at most.
const Confidence = 0.95

// Floor is the least rate that so many hours can exclude, in events an hour: what is supported by
// having seen none, -ln(0.05) ≈ 3 over the hours. It is infinite for no hours.
func Floor(hours float64) float64 { return -math.Log(1-Confidence) / hours }

// A Bound is what a count says about the rate behind it, in events an hour.
type Bound struct {
	// Rate is the count over the hours.
	Rate float64
	// Lower and Upper are exact limits, each by itself with [Confidence].
	Lower, Upper float64
}

// Limits bounds the rate of events that come independently of each other, each with a weight: how
// many restarts it has meant, on the average of the phases of a probe. These are the gamma limits
// of Fay and Feuer (Statistics in Medicine 16, 1997) for weighted sums of Poisson counts; where
// every weight is 1, they are the exact limits of a Poisson count. What was not seen yet is given
// the largest weight: 1, or that of the events if one has meant more.
//
// Events that come in company are no independent ones. company is how many come at a time, as
// [Judge] finds: then so much is counted as one. It is 1 for independent events.
func Limits(weights []float64, company, hours float64) Bound {
	m := momentsOf(weights, company)
	b := Bound{Rate: m.sum / hours, Upper: m.upper(Confidence) / hours}
	if m.sum > 0 {
		b.Lower = m.squares / m.sum * gammaQuantile(m.sum*m.sum/m.squares, 1-Confidence) / hours
	}
	return b
}

// moments are what the limits need of weights: their sum, that of their squares, and the largest
// that is possible.
type moments struct{ sum, squares, largest float64 }

func momentsOf(weights []float64, company float64) moments {
	company = max(company, 1)
	m := moments{largest: company}
	for _, w := range weights {
		m.sum += w
		m.squares += w * w
		m.largest = max(m.largest, w)
	}
	if n := len(weights); n > 0 {
		// The square of a sum of k alike is that of each of them, and k-1 times it for the others.
		m.squares += (company - 1) * m.sum / float64(n) * m.sum
	}
	return m
}

// upper is the upper limit of the sum, with a confidence.
func (m moments) upper(confidence float64) float64 {
	mean, variance := m.sum+m.largest, m.squares+m.largest*m.largest
	return variance / mean * gammaQuantile(mean*mean/variance, confidence)
}

// within reports whether the upper limit of the sum, with a confidence, is at most that; it costs
// much less than the limit itself.
func (m moments) within(limit, confidence float64) bool {
	if m.sum > limit {
		return false
	}
	mean, variance := m.sum+m.largest, m.squares+m.largest*m.largest
	return gammaBelow(mean*mean/variance, limit*mean/variance) >= confidence
}
