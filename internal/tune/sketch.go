package tune

import "math"

// Sketch counts times by size: its value at i is how many lay between two bounds that are 2^(1/8)
// apart, 9 %. The first bound is 0.1 ms. The zero value is empty.
type Sketch []int

const (
	sketchFirst  = 1e-4 // seconds
	sketchSteps  = 8    // of a doubling
	sketchLength = 200  // up to an hour
)

// Add counts a time of so many seconds.
func (s *Sketch) Add(seconds float64) {
	i := 0
	if seconds > sketchFirst {
		i = min(int(math.Ceil(math.Log2(seconds/sketchFirst)*sketchSteps)), sketchLength-1)
	}
	for len(*s) <= i {
		*s = append(*s, 0)
	}
	(*s)[i]++
}

// Join adds what another one has counted.
func (s *Sketch) Join(other Sketch) {
	for i, n := range other {
		if i == len(*s) {
			*s = append(*s, 0)
		}
		(*s)[i] += n
	}
}

// Count is how many times were counted.
func (s Sketch) Count() (n int) {
	for _, c := range s {
		n += c
	}
	return n
}

// Quantile is a time that the share q of those that were counted does not exceed, at most 9 % more
// than the least such; 0 if there are none.
func (s Sketch) Quantile(q float64) float64 {
	wanted, n := q*float64(s.Count()), 0
	for i, c := range s {
		if n += c; c > 0 && float64(n) >= wanted {
			return sketchFirst * math.Exp2(float64(i)/sketchSteps)
		}
	}
	return 0
}
