package simulate

import (
	"slices"
	"time"
)

// Quantiles sum up a number of times.
type Quantiles struct {
	N    int    `json:"n"`
	Mean Offset `json:"mean"`
	P50  Offset `json:"p50"`
	P90  Offset `json:"p90"`
	P99  Offset `json:"p99"`
	Max  Offset `json:"max"`
}

func quantiles(all []time.Duration) Quantiles {
	if len(all) == 0 {
		return Quantiles{}
	}
	slices.Sort(all)
	sum := 0.0
	for _, t := range all {
		sum += float64(t)
	}
	return Quantiles{
		N: len(all), Mean: Offset(sum / float64(len(all))),
		P50: Offset(ranked(all, 0.5)), P90: Offset(ranked(all, 0.9)), P99: Offset(ranked(all, 0.99)), Max: Offset(all[len(all)-1]),
	}
}

// ranked is the smallest of sorted values that at least the share q of them does not exceed.
func ranked[T any](sorted []T, q float64) T {
	i := int(float64(len(sorted))*q+0.999999) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// Counts sum up numbers.
type Counts struct {
	Mean Number `json:"mean"`
	P50  int    `json:"p50"`
	P90  int    `json:"p90"`
	P99  int    `json:"p99"`
	Max  int    `json:"max"`
}

func counts(all []int) Counts {
	slices.Sort(all)
	sum := 0
	for _, n := range all {
		sum += n
	}
	return Counts{Number(float64(sum) / float64(len(all))), ranked(all, 0.5), ranked(all, 0.9), ranked(all, 0.99), all[len(all)-1]}
}
