//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// plan is how often and how long is measured.
type plan struct {
	rounds int
	window time.Duration
}

// part is one part of the table.
type part struct {
	name    string
	measure func(*bench, io.Writer, plan) error
}

// parts are all parts, in their order.
func parts() []part {
	return []part{
		{"flat", (*bench).flatOut}, {"paced", (*bench).paced}, {"large", (*bench).large}, {"exec", (*bench).exec}, {"product", (*bench).product},
		{"live", (*bench).live}, {"api", (*bench).api}, {"dashboard", (*bench).dashboard}, {"drill", (*bench).drill}, {"fronts", (*bench).fronts},
	}
}

func partNames() (names []string) {
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// table measures everything, or only one part, and prints it.
func table(out io.Writer, quick bool, only string) error {
	b, err := newBench()
	if err != nil {
		return err
	}
	defer b.targets.end()
	p := plan{rounds: 3, window: 5 * time.Second}
	if quick {
		p = plan{rounds: 1, window: 2 * time.Second}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, part := range parts() {
		if only != "" && part.name != only {
			continue
		}
		if err := part.measure(b, w, p); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// compare measures several probers in turns, and returns for each the round whose CPU time per
// attempt is the median.
func (b *bench) compare(rounds int, orders ...proberOptions) ([]measured, error) {
	all := make([][]measured, len(orders))
	for range rounds {
		for i, o := range orders {
			m, err := b.measure(o)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", o.Way, o.What, err)
			}
			all[i] = append(all[i], m)
		}
	}
	medians := make([]measured, len(orders))
	for i, ms := range all {
		slices.SortFunc(ms, func(a, b measured) int { return int(a.perAttempt() - b.perAttempt()) })
		medians[i] = ms[len(ms)/2]
	}
	return medians, nil
}

// flatOut measures attempts as fast as they can be made, 64 in flight.
func (b *bench) flatOut(w io.Writer, p plan) error {
	fmt.Fprintln(w, "ATTEMPTS FLAT OUT\tengine µs\tkubelet's way µs\tratio\tbar\tfailed")
	var get float64
	for _, what := range []string{"http", "tcp", "grpc"} {
		o := proberOptions{What: what, Settle: time.Second, Window: p.window / 2}
		kubelet := o
		o.Way, kubelet.Way = "engine", "kubelet"
		m, err := b.compare(p.rounds, o, kubelet)
		if err != nil {
			return err
		}
		fast, plain := m[0].perAttempt(), m[1].perAttempt()
		failed := m[0].Failed + m[1].Failed
		switch what {
		case "http":
			get = plain
			fmt.Fprintf(w, "HTTP\t%.0f\t%.0f\t%.2f\t\t%d\n", fast, plain, fast/plain, failed)
		case "tcp":
			fmt.Fprintf(w, "TCP\t%.0f\t%.0f\t%.2f\t\t%d\n", fast, plain, fast/plain, failed)
			fmt.Fprintf(w, "TCP ÷ an HTTP probe of the kubelet\t%.0f\t%.0f\t%.2f\t0.30\t\n", fast, get, fast/get)
		case "grpc":
			fmt.Fprintf(w, "gRPC\t%.0f\t%.0f\t%.2f\t0.30\t%d\n", fast, plain, fast/plain, failed)
		}
	}
	return nil
}

// paced measures 1,000 targets at one probe a second each.
func (b *bench) paced(w io.Writer, p plan) error {
	o := proberOptions{What: "http", Targets: 1000, Period: time.Second, Settle: 2 * time.Second, Window: p.window}
	return b.schedules(w, p.rounds, "1,000 TARGETS EVERY 1 s (bars: ratio 0.45, p99 20 ms)", o)
}

// large measures 10,000 targets.
func (b *bench) large(w io.Writer, p plan) error {
	slow := proberOptions{What: "http", Targets: 10000, Period: 10 * time.Second, Settle: 12 * time.Second, Window: 10200 * time.Millisecond}
	if err := b.schedules(w, 1, "10,000 TARGETS EVERY 10 s (bars: none missed, 40 MB)", slow); err != nil {
		return err
	}
	fast := proberOptions{What: "http", Targets: 10000, Period: time.Second, Settle: 4 * time.Second, Window: p.window}
	return b.schedules(w, 1, "10,000 TARGETS EVERY 1 s (bar: 95 % on time within one core)", fast)
}

func (b *bench) schedules(w io.Writer, rounds int, title string, o proberOptions) error {
	kubelet := o
	o.Way, kubelet.Way = "engine", "kubelet"
	ms, err := b.compare(rounds, o, kubelet)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\tµs/probe\tratio\tof a core\tRSS MB\tachieved\ton time\tmissed\tfailed\tjitter p50\tp99\tmax\n", title)
	for i, m := range ms {
		core := float64(m.CPU) / float64(m.Window) * 100
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.0f %%\t%d\t%.1f %%\t%.1f %%\t%d\t%d\t%v\t%v\t%v\n",
			[]string{"engine", "kubelet's way"}[i], m.perAttempt(), m.perAttempt()/ms[1].perAttempt(), core, m.Resident,
			m.achieved(o)*100, m.OnTime*100, m.Missed, m.cost.Failed,
			m.P50.Round(10*time.Microsecond), m.P99.Round(10*time.Microsecond), m.Max.Round(10*time.Microsecond))
	}
	return nil
}

// exec measures probe.Exec, which does not run on the event loop, with the CPU time of its
// children.
func (b *bench) exec(w io.Writer, p plan) error {
	o := proberOptions{What: "exec", Settle: time.Second / 2, Window: p.window / 2}
	bare := o
	o.Way, bare.Way = "engine", "fork"
	m, err := b.compare(p.rounds, o, bare)
	if err != nil {
		return err
	}
	attempt, fork := m[0].perAttempt(), m[1].perAttempt()
	fmt.Fprintln(w, "\nEXEC /bin/true, CHILD INCLUDED\tattempt µs\tfork and exec µs\tratio\tbar")
	_, err = fmt.Fprintf(w, "exec\t%.0f\t%.0f\t%.2f\t1.15\n", attempt, fork, attempt/fork)
	return err
}
