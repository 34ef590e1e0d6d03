package trace

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Timeline shows differences, and below them the tracks that differ with the systems side by side,
// moment by moment.
func Timeline(found []Difference, traces ...Trace) string {
	var out strings.Builder
	var names []string
	for _, d := range found {
		fmt.Fprintf(&out, "%s: %s\n", d.Track, d.What)
		if !slices.Contains(names, d.Track) {
			names = append(names, d.Track)
		}
	}
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, name := range names {
		fmt.Fprintf(table, "\n%s", name)
		for _, t := range traces {
			fmt.Fprintf(table, "\t%s", t.System)
		}
		fmt.Fprintln(table)
		for _, m := range merge(name, traces) {
			fmt.Fprintf(table, "%7.2f%s%s\n", m.At, strings.Repeat("\t", m.column+1), short(m.What))
		}
	}
	_ = table.Flush() // a Builder takes everything
	return out.String()
}

type placed struct {
	Entry
	column int
}

// merge puts the entries of a track of several traces into the order of time.
func merge(name string, traces []Trace) []placed {
	var all []placed
	for column, t := range traces {
		for _, e := range t.Get(name).Entries {
			all = append(all, placed{e, column})
		}
	}
	slices.SortStableFunc(all, func(x, y placed) int { return compareTime(x.At, y.At) })
	return all
}

// short leaves out most of a long text.
func short(text string) string {
	const most = 160
	if text = strings.ReplaceAll(text, "\n", "⏎"); len(text) > most {
		return text[:most/2] + " … " + text[len(text)-most/2:]
	}
	return text
}
