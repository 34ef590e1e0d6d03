package metrics

import (
	"sync/atomic"
	"time"
)

// Histogram counts durations by buckets. Make it with [NewHistogram]. It is safe for concurrent
// use and takes no lock.
type Histogram struct {
	bounds []time.Duration
	counts []atomic.Uint64 // of each bucket, and of what is longer than all of them
	sum    atomic.Int64
}

// NewHistogram makes a histogram with these upper bounds of its buckets, which rise. It keeps them.
func NewHistogram(bounds []time.Duration) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Observe counts a duration. A bound belongs to the bucket below it, as in Prometheus.
func (h *Histogram) Observe(d time.Duration) {
	h.counts[Bucket(h.bounds, d)].Add(1)
	h.sum.Add(int64(d))
}

// Bucket is the number of the bucket that a duration belongs to, from 0 on; len(bounds) if it is
// longer than all bounds.
func Bucket(bounds []time.Duration, d time.Duration) int {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	return i
}

// Distribution returns what was counted so far. Nobody stops for it, so the sum may be of a
// slightly different time than the counts.
func (h *Histogram) Distribution() Distribution {
	d := Distribution{Bounds: h.bounds, Counts: make([]uint64, len(h.counts)), Sum: time.Duration(h.sum.Load())}
	for i := range h.counts {
		d.Counts[i] = h.counts[i].Load()
	}
	return d
}

// Distribution is what a [Histogram] has counted. The zero value is that of nothing.
type Distribution struct {
	// Bounds are the upper bounds of the buckets. They are not to be modified.
	Bounds []time.Duration
	// Counts is how many durations are in each bucket alone; the last count is of those above all
	// bounds.
	Counts []uint64
	// Sum of all durations.
	Sum time.Duration
}

// Count is how many durations there are.
func (d Distribution) Count() (n uint64) {
	for _, c := range d.Counts {
		n += c
	}
	return n
}

// Since is what was counted after an earlier distribution of the same histogram.
func (d Distribution) Since(earlier Distribution) Distribution {
	later := Distribution{Bounds: d.Bounds, Counts: make([]uint64, len(d.Counts)), Sum: d.Sum - earlier.Sum}
	for i, c := range d.Counts {
		if i < len(earlier.Counts) {
			c -= earlier.Counts[i]
		}
		later.Counts[i] = c
	}
	return later
}

// Quantile estimates the duration that a share q of all, from 0 to 1, does not exceed. As in
// Prometheus it lies on a straight line through its bucket, and is the highest bound if it lies
// above that. It is 0 if there is nothing.
func (d Distribution) Quantile(q float64) time.Duration {
	rank := q * float64(d.Count())
	if rank == 0 {
		return 0
	}
	var below float64
	var from time.Duration
	for i, bound := range d.Bounds {
		count := float64(d.Counts[i])
		if below+count >= rank {
			return from + time.Duration(float64(bound-from)*(rank-below)/count)
		}
		below, from = below+count, bound
	}
	return from
}
