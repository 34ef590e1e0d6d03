package tune

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// scriptShortest is the shortest stall that any probe can notice: no timeout is shorter.
	scriptShortest = 1
	// scriptFaults is how many stalls a script has at most, the longest.
	scriptFaults = 1000
)

// Script is the series as a script for probity simulate: every stall that a probe could notice, at
// its time and of its length, and where answers were slow, window after window, after the longest
// start. horizon is how many seconds to simulate.
func (s *Series) Script() (text string, horizon int) {
	var b strings.Builder
	b.WriteString("# Measured by probity tune: the stalls of a series, at their times and of their lengths.\n")
	var programs, faults strings.Builder
	for i := range s.Containers {
		c := &s.Containers[i]
		longest := 0.0
		for _, start := range c.Starts {
			longest = max(longest, start.Seconds)
		}
		if longest > 0 {
			fmt.Fprintf(&programs, "  %s:\n    startup: %s\n", strconv.Quote(withoutNamespace(c.Workload)+":"+c.Name), duration(longest))
		}
		end := c.faults(&faults, longest+scriptShortest)
		horizon = max(horizon, int(end)+60)
	}
	if programs.Len() > 0 {
		b.WriteString("programs:\n" + programs.String())
	}
	if faults.Len() > 0 {
		b.WriteString("faults:\n" + faults.String())
	}
	if programs.Len()+faults.Len() == 0 {
		b.WriteString("faults: []\n")
	}
	return b.String(), max(horizon, 60)
}

// faults writes the stalls of a container, and returns when the last window ends.
func (c *Container) faults(b *strings.Builder, begin float64) (end float64) {
	e := c.Endpoint("liveness")
	if e == nil {
		e = c.Endpoint("readiness")
	}
	if e == nil {
		return begin
	}
	var list []Stall
	var slow []Slow
	for _, w := range e.Windows {
		for _, s := range w.Slow {
			s.Begin += begin
			slow = append(slow, s)
		}
		for _, stall := range w.Stalls {
			if stall.Length >= scriptShortest {
				stall.Begin += begin
				list = append(list, stall)
			}
		}
		begin += w.Seconds
	}
	c.late(b, slow[:min(len(slow), scriptFaults)])
	slices.SortStableFunc(list, func(x, y Stall) int { return int(1e3 * (y.Length - x.Length)) })
	list = list[:min(len(list), scriptFaults)]
	slices.SortFunc(list, func(x, y Stall) int { return int(1e3 * (x.Begin - y.Begin)) })
	for _, stall := range list {
		kind := "hang"
		if stall.Errors {
			kind = "status"
		}
		fmt.Fprintf(b, "- {fault: %s, at: %s, for: %s, workload: %s, container: %s}\n",
			kind, duration(stall.Begin), duration(stall.Length), strconv.Quote(withoutNamespace(c.Workload)), strconv.Quote(c.Name))
	}
	return begin
}

// late writes stretches of slow answers. The latencies of faults add up, so one within another adds
// what is missing.
func (c *Container) late(b *strings.Builder, slow []Slow) {
	for i, s := range slow {
		latency := s.Than
		for _, around := range slow[:i] {
			if around.End() >= s.End() {
				latency = min(latency, s.Than-around.Than)
			}
		}
		if latency > 0 {
			fmt.Fprintf(b, "- {fault: slow, latency: %ds, at: %s, for: %s, workload: %s, container: %s}\n",
				latency, duration(s.Begin), duration(s.Length), strconv.Quote(withoutNamespace(c.Workload)), strconv.Quote(c.Name))
		}
	}
}

// duration writes seconds as scripts do.
func duration(seconds float64) string { return strconv.FormatFloat(seconds, 'f', 3, 64) + "s" }
