package history

import (
	"math"
	"slices"
	"time"
)

// maxMinutes is how many minutes with attempts are kept of a probe, before the attempts that are
// kept one by one.
const maxMinutes = 60

// Minute is the attempts that began within a minute, together.
type Minute struct {
	// Start is a full minute.
	Start time.Time
	// Worst is the worst outcome. NotYet says that all failures were of a service that had not come
	// up yet.
	Worst  Outcome
	NotYet bool
	// Counts are how many attempts had each Outcome, at most 65535; Attempts are all of them.
	Counts   [outcomes]int
	Attempts int
	// Max and Sum are of how long the attempts took.
	Max, Sum time.Duration
}

// minute is a Minute in 24 bytes.
type minute struct {
	start    uint32 // minutes since 1970
	counts   [outcomes]uint16
	notYet   uint16
	max, sum uint32 // µs: attempts of a probe do not overlap, so a sum is hardly more than a minute
}

func (m *minute) add(e *entry) {
	increment(&m.counts[e.outcome])
	if e.flags&notYet != 0 {
		increment(&m.notYet)
	}
	m.max = max(m.max, e.took)
	m.sum += min(e.took, math.MaxUint32-m.sum)
}

func increment(n *uint16) {
	if *n < math.MaxUint16 {
		*n++
	}
}

// merged are minutes with the attempts of a chunk, as a new list.
func merged(minutes []minute, c *chunk) []minute {
	minutes = slices.Clone(minutes)
	for i := range c.count.Load() {
		e := &c.entries[i]
		start := uint32((c.base + int64(e.at)) / time.Minute.Microseconds())
		if len(minutes) == 0 || minutes[len(minutes)-1].start != start {
			minutes = append(minutes, minute{start: start})
		}
		minutes[len(minutes)-1].add(e)
	}
	// in a list of its own, which holds no memory of older ones
	return slices.Clone(minutes[max(0, len(minutes)-maxMinutes):])
}

// public is the minute for readers.
func (m *minute) public() Minute {
	all := Minute{Start: time.Unix(int64(m.start)*60, 0), Max: time.Duration(m.max) * time.Microsecond, Sum: time.Duration(m.sum) * time.Microsecond}
	for o, n := range m.counts {
		all.Counts[o] = int(n)
		all.Attempts += int(n)
		if n > 0 {
			all.Worst = Outcome(o)
		}
	}
	all.NotYet = m.notYet > 0 && m.notYet == m.counts[Failed]+m.counts[TimedOut]
	return all
}
