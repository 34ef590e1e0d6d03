package trace

import (
	"math"
	"strings"
)

// noMore is the entry of a state that is over.
const noMore = "no more"

// held is an entry and how long it was so.
type held struct {
	Entry
	For float64
}

func holds(entries []Entry, end float64) []held {
	result := make([]held, len(entries))
	for i, e := range entries {
		until := end
		if i+1 < len(entries) {
			until = entries[i+1].At
		}
		// What was so before anything started was so for no time, and neither is what is no state.
		result[i] = held{e, max(0, until-max(0, e.At))}
		if e.What == noMore {
			result[i].For = 0
		}
	}
	return result
}

// levels wants the same states in the same order and at about the same times. One that was so for a
// moment only may be missing on either side.
func (c *comparison) levels(name string, a, b []Entry) {
	x, y := holds(a, c.a.Seconds), holds(b, c.b.Seconds)
	for _, pair := range align(x, y) {
		switch {
		case pair.b == nil && pair.a.For > shortState && !c.late(c.a, pair.a.Entry):
			c.differ(name, "%q, in the reference from %.1f s on for %.1f s, is missing", pair.a.What, pair.a.At, pair.a.For)
		case pair.a == nil && pair.b.For > shortState && !c.late(c.b, pair.b.Entry):
			c.differ(name, "%q from %.1f s on for %.1f s is not in the reference", pair.b.What, pair.b.At, pair.b.For)
		case pair.a != nil && pair.b != nil && !c.near(pair.a.At, pair.b.At):
			c.differ(name, "%q since %.1f s, in the reference since %.1f s", pair.b.What, pair.b.At, pair.a.At)
		}
	}
}

// near reports whether a moment of the other trace is close to one of the reference. Restarts
// before it, and the random halves of their back-offs, add up.
func (c *comparison) near(a, b float64) bool {
	allowed := c.lag + 1.5
	restarts, waits := c.a.restarts(a)
	allowed += restartTolerance*float64(restarts) + backOffTolerance*float64(waits)
	return math.Abs(max(a, 0)-max(b, 0)) <= allowed
}

// restarts counts the processes that were not the first ones, and the waits for them, until a
// moment.
func (t Trace) restarts(until float64) (restarts, waits int) {
	for _, track := range t.Tracks {
		for _, e := range track.Entries {
			if e.At > until {
				continue
			}
			switch subject, aspect, object := split(track.Name); {
			case aspect == "life" && e.What == "start", strings.HasSuffix(subject, "#0") && e.What == "done":
				restarts++
			case aspect == "state" && object == "waiting" && e.What != noMore:
				waits++
			}
		}
	}
	return max(0, restarts-1), waits
}

// pair is a state in both traces, or in one of them.
type pair struct{ a, b *held }

// place is how far two courses of states were compared, and whether the states there have found a
// partner.
type place struct {
	i, j         int
	doneA, doneB bool
}

// step is the best way on from a place.
type step struct {
	cost float64
	next place
	pair pair
}

// align lays two courses of states side by side: of all ways to pass over states without a partner
// the one that passes over the least time. A state that was left for a moment only is one partner
// before and after.
func align(a, b []held) []pair {
	steps := map[place]step{}
	best(a, b, place{}, steps)
	var pairs []pair
	for at := (place{}); at.i < len(a) || at.j < len(b); at = steps[at].next {
		if p := steps[at].pair; p.a != nil || p.b != nil {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// best finds the best step at a place and at all places behind it.
func best(a, b []held, at place, steps map[place]step) float64 {
	if at.i == len(a) && at.j == len(b) {
		return 0
	}
	if s, known := steps[at]; known {
		return s.cost
	}
	found := step{cost: math.Inf(1)}
	try := func(cost float64, next place, p pair) {
		if cost += best(a, b, next, steps); cost < found.cost {
			found = step{cost, next, p}
		}
	}
	const trouble = 0.01 // of passing over what took no time
	if at.i < len(a) && at.j < len(b) && a[at.i].What == b[at.j].What && !(at.doneA && at.doneB) {
		var p pair
		if !at.doneA && !at.doneB {
			p = pair{&a[at.i], &b[at.j]}
		}
		try(0, place{at.i, at.j, true, true}, p)
	}
	if at.i < len(a) {
		next := place{at.i + 1, at.j, false, at.doneB}
		if at.doneA {
			try(0, next, pair{})
		} else {
			try(trouble+a[at.i].For, next, pair{a: &a[at.i]})
		}
	}
	if at.j < len(b) {
		next := place{at.i, at.j + 1, at.doneA, false}
		if at.doneB {
			try(0, next, pair{})
		} else {
			try(trouble+b[at.j].For, next, pair{b: &b[at.j]})
		}
	}
	steps[at] = found
	return found.cost
}
