package render

import (
	"slices"

	"github.com/probity-run/probity/internal/drill"
)

// leftOutGroup is what was left out for one reason.
type leftOutGroup struct {
	words  []string // of faults; with the workload where there are several
	reason string
}

// leftOut are the faults that were not tried, a group for each reason.
func leftOut(r *drill.Report) (groups []leftOutGroup) {
	for _, l := range r.LeftOut {
		word := l.Fault
		if l.Takes > 0 {
			word += " (" + rounded(l.Takes) + ")"
		}
		if len(r.Workloads) > 1 && l.Workload != "" {
			word += " in " + l.Workload
		}
		i := slices.IndexFunc(groups, func(g leftOutGroup) bool { return g.reason == l.Reason })
		if i < 0 {
			i, groups = len(groups), append(groups, leftOutGroup{reason: l.Reason})
		}
		groups[i].words = append(groups[i].words, word)
	}
	return groups
}
