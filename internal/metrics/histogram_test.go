package metrics

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

func observed(bounds []time.Duration, durations ...time.Duration) Distribution {
	h := NewHistogram(bounds)
	for _, d := range durations {
		h.Observe(d)
	}
	return h.Distribution()
}

func TestHistogram(t *testing.T) {
	bounds := []time.Duration{ms, 10 * ms, 100 * ms}
	got := observed(bounds, 0, ms, ms+1, 10*ms, 11*ms, 100*ms+1, time.Hour)
	want := Distribution{Bounds: bounds, Counts: []uint64{2, 2, 1, 2}, Sum: time.Hour + 123*ms + 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a bound belongs to the bucket below it (-want +got):\n%s", diff)
	}
	if got.Count() != 7 {
		t.Errorf("Count is %d", got.Count())
	}
}

func TestHistogramOfManyGoroutines(t *testing.T) {
	h := NewHistogram([]time.Duration{ms})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 1000 {
				h.Observe(time.Duration(i%2) * 2 * ms)
				_ = h.Distribution()
			}
		})
	}
	group.Wait()
	want := Distribution{Bounds: []time.Duration{ms}, Counts: []uint64{4000, 4000}, Sum: 8 * time.Second}
	if diff := cmp.Diff(want, h.Distribution()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestQuantile(t *testing.T) {
	bounds := []time.Duration{10 * ms, 20 * ms, 40 * ms}
	all := observed(bounds, 5*ms, 15*ms, 15*ms, 35*ms)
	tests := map[string]struct {
		of   Distribution
		q    float64
		want time.Duration
	}{
		"nothing":                        {Distribution{}, 0.5, 0},
		"nothing yet":                    {observed(bounds), 0.99, 0},
		"none of it":                     {all, 0, 0},
		"the end of a bucket":            {all, 0.25, 10 * ms},
		"half through a bucket":          {all, 0.5, 15 * ms},
		"all":                            {all, 1, 40 * ms},
		"above all bounds":               {observed(bounds, time.Second), 0.5, 40 * ms},
		"an empty bucket is passed over": {observed(bounds, 5*ms, 35*ms), 0.75, 30 * ms},
		"what came later":                {observed(bounds, 5*ms, 15*ms, 35*ms).Since(observed(bounds, 5*ms, 15*ms)), 0.5, 30 * ms},
		"since the start":                {all.Since(Distribution{}), 0.5, 15 * ms},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.of.Quantile(test.q); got != test.want {
				t.Errorf("quantile %v is %v, want %v", test.q, got, test.want)
			}
		})
	}
}

func TestSince(t *testing.T) {
	bounds := []time.Duration{ms}
	got := observed(bounds, 0, 2*ms, 2*ms).Since(observed(bounds, 2*ms))
	if diff := cmp.Diff(observed(bounds, 0, 2*ms), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
