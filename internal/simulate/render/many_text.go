package render

import (
	"bufio"
	"fmt"
	"io"

	"github.com/probity-run/probity/internal/simulate"
)

// ManyText writes the outcome of many runs for a person.
func ManyText(out io.Writer, m *simulate.Many) error {
	b := bufio.NewWriter(out)
	fmt.Fprintf(b, "%s: %d pods of %v each simulated, seed %d\n\n", m.Workload, m.Runs, m.Horizon, m.Seed)
	fmt.Fprintf(b, "%-26s %10s %10s %10s %10s %10s\n", "", "mean", "p50", "p90", "p99", "max")
	writeTimes(b, "time to ready", m.Ready, m.NeverReady, "never ready")
	if m.Detect.N+m.Undetected > 0 {
		writeTimes(b, "time to detect", m.Detect, m.Undetected, "never detected")
	}
	if m.Drain.N > 0 {
		writeTimes(b, "time out of rotation", m.Drain, 0, "")
	}
	writeTimes(b, "unavailable, per pod", m.Unavailable, 0, "")
	r := m.Restarts
	fmt.Fprintf(b, "%-26s %10.3g %10d %10d %10d %10d\n", "restarts, per pod", r.Mean, r.P50, r.P90, r.P99, r.Max)
	fmt.Fprintf(b, "\nfalse restarts of %d replicas in 30 days: %s\n", m.Replicas, figure(m.FalseRestarts))
	for _, s := range m.Stalls {
		writeStalls(b, s, m.Replicas)
	}
	fmt.Fprintln(b)
	for _, l := range m.Loops {
		fmt.Fprintf(b, "restart loop: %s\n", loopText(l))
	}
	return b.Flush()
}

func writeTimes(out io.Writer, title string, q simulate.Quantiles, never int, word string) {
	if q.N > 0 {
		fmt.Fprintf(out, "%-26s %10s %10s %10s %10s %10s", title, rough(q.Mean), rough(q.P50), rough(q.P90), rough(q.P99), rough(q.Max))
	} else {
		fmt.Fprintf(out, "%-26s %10s", title, "-")
	}
	if never > 0 {
		fmt.Fprintf(out, "   %s: %d of %d", word, never, never+q.N)
	}
	fmt.Fprintln(out)
}

// rough rounds to what a column holds.
func rough(o simulate.Offset) string {
	switch {
	case o >= simulate.Offset(100*1e9):
		return (o / 1e9 * 1e9).String()
	default:
		return (o / 1e7 * 1e7).String()
	}
}

func writeStalls(out io.Writer, s simulate.Stalls, replicas int) {
	fmt.Fprintf(out, "\n%s on %s, per 30 days and %d replicas:\n", s.Fault, s.Container, replicas)
	fmt.Fprintf(out, "  %-46s %12s %12s\n", "", "simulated", "closed form")
	fmt.Fprintf(out, "  %-46s %12s %12s\n", "stalls as they come", figure(s.Correlated.Simulated), figure(s.Correlated.Closed))
	title := fmt.Sprintf("as many failures (%s) one by one", simulate.Percent(float64(s.Share)))
	fmt.Fprintf(out, "  %-46s %12s %12s\n", title, figure(s.Independent.Simulated), figure(s.Independent.Closed))
	fmt.Fprintf(out, "  %s\n  %s of the stalls have the next one begin within %v, which the simulated figure counts\n", s.Neighbours.Caveat, simulate.Percent(float64(s.Neighbours.Share)), s.Neighbours.Within)
	if s.Penalty > 0 {
		fmt.Fprintf(out, "  correlation penalty: × %s; who counts single failures is wrong by that factor\n", figure(s.Penalty))
	}
	shared, alone := simulate.Percent(float64(s.TogetherShared)), simulate.Percent(float64(s.TogetherIndependent))
	fmt.Fprintf(out, "  one stall restarts all %d replicas at once: %s if they share its cause, %s if not\n", replicas, shared, alone)
}

func figure(x simulate.Number) string { return fmt.Sprintf("%.4g", x) }
