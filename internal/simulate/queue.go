package simulate

import (
	"slices"
	"sort"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// item is something that happens at a time: an event for a Pod, or anything else.
type item struct {
	at      time.Duration
	event   lifecycle.Event
	attempt uint64 // of a ProbeDone: which attempt it ends
	do      func()
}

// queue holds what is to happen; what was put in first comes first among what happens at one time.
// It is short, so it is a sorted list, the next item last.
type queue []item

func (q *queue) put(it item) {
	i := sort.Search(len(*q), func(i int) bool { return (*q)[i].at <= it.at })
	*q = slices.Insert(*q, i, it)
}

func (q queue) next() time.Duration {
	if len(q) == 0 {
		return script.Infinity
	}
	return q[len(q)-1].at
}

func (q *queue) pop() item {
	last := len(*q) - 1
	it := (*q)[last]
	(*q)[last] = item{}
	*q = (*q)[:last]
	return it
}
