package history

import (
	"sync/atomic"
	"time"

	"github.com/probity-run/probity/internal/metrics"
)

// ProbeCounts is what was counted of a probe, over all instances of the container, as the kubelet
// does for its metrics (R222).
type ProbeCounts struct {
	Key
	// Successful are the durations of the attempts that counted as successes, warnings too.
	Successful metrics.Distribution
	// Failed is how many counted as failures.
	Failed uint64
}

// counters of one probe. Attempts without a verdict are in none of them. 32 bits are enough: a
// probe runs once a second at most.
type counters struct {
	successful [len(durationBounds) + 1]atomic.Uint32 // by duration
	took       atomic.Int64                           // by all of these together
	failed     atomic.Uint32
}

func (c *counters) count(a *Attempt) {
	switch {
	case a.Outcome.success():
		c.successful[metrics.Bucket(durationBounds[:], a.Took)].Add(1)
		c.took.Add(int64(a.Took))
	case a.Outcome.failure():
		c.failed.Add(1)
	}
}

func (p *Probe) counts() ProbeCounts {
	c := &p.counters
	all := ProbeCounts{Key: p.key, Failed: uint64(c.failed.Load())}
	all.Successful = metrics.Distribution{Bounds: durationBounds[:], Counts: make([]uint64, len(c.successful)), Sum: time.Duration(c.took.Load())}
	for i := range c.successful {
		all.Successful.Counts[i] = uint64(c.successful[i].Load())
	}
	return all
}

// durationBounds are the kubelet's, which are the default ones of Prometheus' client library.
var durationBounds = [...]time.Duration{
	5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 250 * ms, 500 * ms, time.Second, 2500 * ms, 5 * time.Second, 10 * time.Second,
}

const ms = time.Millisecond
