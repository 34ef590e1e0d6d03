package trace

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// What two systems may differ by, in seconds, for probes with a period of one second.
const (
	// statusLag is how late a status, and what follows from it, may be: the kubelet's status cache
	// and relist.
	statusLag = 2.0
	// shortState is how long something may last that the other did not show.
	shortState = 2.6
	// periodTolerance is how much later or sooner the next probe may come: a period.
	periodTolerance = 1.0
	// graceTolerance is how exact graces are.
	graceTolerance = 0.7
	// restartTolerance is how much later each restart may make what follows.
	restartTolerance = 1.5
	// backOffTolerance is how much longer a back-off of 3 s may be, of which half is random (R149).
	backOffTolerance = 1.5
)

// Difference is where a trace is not what the other is.
type Difference struct {
	// Track is the name of the track.
	Track string
	// What is wrong with it.
	What string
}

// Compare finds what the second trace has otherwise than the first, beyond what phase and lag
// explain. The first is the reference.
func Compare(reference, other Trace) []Difference {
	reference, other = alignRefused(dropKubeletLag(reference), dropKubeletLag(other))
	c := comparison{a: reference, b: other, lag: statusLag + max(1, reference.Period, other.Period)}
	known := map[string]bool{}
	for _, t := range slices.Concat(reference.Tracks, other.Tracks) {
		known[t.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		c.track(name)
	}
	c.orders()
	c.restartPauses()
	return c.found
}

type comparison struct {
	a, b  Trace
	lag   float64 // and a period of phase
	found []Difference
}

func (c *comparison) differ(track, format string, args ...any) {
	c.found = append(c.found, Difference{track, fmt.Sprintf(format, args...)})
}

// track compares two tracks by the rule for their aspect.
func (c *comparison) track(name string) {
	_, aspect, _ := split(name)
	a, b := c.a.Get(name), c.b.Get(name)
	switch aspect {
	case "life":
		c.sequence(name, a.Entries, b.Entries)
		c.graces(name, a.Entries, b.Entries)
	case "request", "exec", "shape", "Liveness", "Startup":
		if outOfTurn(name) {
			c.sequence(name, collapse(a.Entries), collapse(b.Entries))
			c.offsets(name, a.Entries, b.Entries)
			c.period(name, a.Entries, b.Entries)
			return
		}
		c.sequence(name, a.Entries, b.Entries)
		c.offsets(name, a.Entries, b.Entries)
		c.intervals(name, a.Entries, b.Entries)
	case "Readiness":
		c.sequence(name, collapse(a.Entries), collapse(b.Entries))
	case "events":
		c.sequence(name, collapse(a.Entries), collapse(b.Entries))
	case "state", "condition", "phase", "endpoints", "pods":
		c.levels(name, a.Entries, b.Entries)
	default:
		c.differ(name, "is of no known aspect")
	}
}

// collapse leaves one of several equal entries in a row.
func collapse(entries []Entry) []Entry {
	return slices.CompactFunc(slices.Clone(entries), func(x, y Entry) bool { return x.What == y.What })
}

// sequence wants the same texts in the same order. What is missing at the end may be still to come.
func (c *comparison) sequence(name string, a, b []Entry) {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a) && (c.late(c.b, b[i]) || c.whileStopping(c.b, name, b[i])), i >= len(b) && (c.late(c.a, a[i]) || c.whileStopping(c.a, name, a[i])):
			return
		case i >= len(a):
			c.differ(name, "%d. %q at %.1f s is not in the reference", i+1, b[i].What, b[i].At)
			return
		case i >= len(b):
			c.differ(name, "%d. %q at %.1f s of the reference is missing", i+1, a[i].What, a[i].At)
			return
		case a[i].What != b[i].What:
			c.differ(name, "%d. is %q at %.1f s, in the reference %q at %.1f s", i+1, b[i].What, b[i].At, a[i].What, a[i].At)
			return
		}
	}
}

// late reports whether an entry is so close to the end that the other system may have been about to
// do the same.
func (c *comparison) late(t Trace, e Entry) bool { return e.At > t.Seconds-c.lag-1 }

// whileStopping reports whether a probe was made so shortly before the deletion of its Pod that
// with another phase it would not have been.
func (c *comparison) whileStopping(t Trace, name string, e Entry) bool {
	subject, _, _ := split(name)
	container, _, _ := strings.Cut(subject, "#")
	deleted := slices.ContainsFunc(t.Get(pod(container)+" phase").Entries, func(e Entry) bool { return e.What == gone })
	return deleted && slices.ContainsFunc(t.Get(container+" events").Entries, func(stop Entry) bool {
		return strings.Contains(stop.What, "Killing Stopping container") && e.At > stop.At-periodTolerance-graceTolerance && e.At < stop.At+graceTolerance
	})
}

// offsets wants the first entry about as long after the start of its process.
func (c *comparison) offsets(name string, a, b []Entry) {
	if len(a) == 0 || len(b) == 0 {
		return
	}
	x, y := a[0].At-c.a.start(name), b[0].At-c.b.start(name)
	if math.Abs(x-y) > c.lag {
		c.differ(name, "begins %.1f s after the start of the process, in the reference %.1f s", y, x)
	}
}

// start is when the process of a track started.
func (t Trace) start(name string) float64 {
	subject, _, _ := split(name)
	life := t.Get(subject + " life").Entries
	if len(life) == 0 {
		return 0
	}
	return life[0].At
}

// intervals wants the same time between one entry and the next, as far as both are there. The steps
// of an init container are not probed: between two of them lies a restart.
func (c *comparison) intervals(name string, a, b []Entry) {
	tolerance := periodTolerance
	if subject, _, _ := split(name); strings.HasSuffix(subject, "#0") {
		tolerance = c.lag
	}
	for i := 1; i < min(len(a), len(b)); i++ {
		x, y := a[i].At-a[i-1].At, b[i].At-b[i-1].At
		if math.Abs(x-y) > tolerance {
			c.differ(name, "%d. comes %.1f s after the one before, in the reference %.1f s", i+1, y, x)
			return
		}
	}
}

// period wants the usual time between one entry and the next.
func (c *comparison) period(name string, a, b []Entry) {
	const enough = 5 // entries to speak of what is usual
	if len(a) < enough || len(b) < enough {
		return
	}
	if x, y := usual(a), usual(b); math.Abs(x-y) > periodTolerance/3 {
		c.differ(name, "comes every %.1f s, in the reference every %.1f s", y, x)
	}
}

// usual is the median of the times between entries.
func usual(entries []Entry) float64 {
	var gaps []float64
	for i := range len(entries) - 1 {
		gaps = append(gaps, entries[i+1].At-entries[i].At)
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// outOfTurn reports whether the probes of a track may come out of turn: readiness may (R13).
func outOfTurn(name string) bool {
	return strings.Contains(name, "/ready") || strings.Contains(name, "exec ready")
}

// graces wants the same time between SIGTERM and the end.
func (c *comparison) graces(name string, a, b []Entry) {
	x, y := grace(a), grace(b)
	if x >= 0 && y >= 0 && math.Abs(x-y) > graceTolerance {
		c.differ(name, "%.1f s are between SIGTERM and the end, in the reference %.1f s", y, x)
	}
}

func grace(life []Entry) float64 {
	i := slices.IndexFunc(life, func(e Entry) bool { return e.What == "SIGTERM" })
	if i < 0 || i+1 >= len(life) {
		return -1
	}
	return life[i+1].At - life[i].At
}
