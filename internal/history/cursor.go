package history

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// Found is one attempt of a probe, with what it is an attempt of.
type Found struct {
	Key
	Probing
	Attempt Attempt
	// Detail is there if Detailed: the reader was at most 20 attempts of the probe late.
	Detail   Detail
	Detailed bool
}

// Cursor gives the attempts of a Pod's probes, each once. It belongs to one goroutine.
type Cursor struct {
	reader Reader
	pod    types.UID
	seen   map[Key]uint64
}

// Cursor makes a Cursor that begins with the oldest attempts that are kept.
func (r Reader) Cursor(pod types.UID) *Cursor { return &Cursor{r, pod, map[Key]uint64{}} }

// Next gives the attempts since the last call, in the order of their beginnings. It is cheap if
// there are none.
func (c *Cursor) Next() (all []Found) {
	for _, probe := range c.reader.Probes(c.pod) {
		if probe.Latest.Seq == c.seen[probe.Key] {
			continue
		}
		details := map[uint64]Detail{}
		for _, d := range c.reader.Details(c.pod, probe.Key) {
			details[d.Seq] = d
		}
		for _, a := range c.reader.Attempts(c.pod, probe.Key, c.seen[probe.Key]) {
			c.seen[probe.Key] = a.Seq
			d, known := details[a.Seq]
			all = append(all, Found{probe.Key, probe.Probing, a, d, known})
		}
	}
	slices.SortStableFunc(all, func(a, b Found) int {
		return cmp.Or(a.Attempt.Time.Compare(b.Attempt.Time), strings.Compare(a.Type, b.Type))
	})
	return all
}
