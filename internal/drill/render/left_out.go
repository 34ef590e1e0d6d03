package render

import (
	"fmt"
	"slices"

	"github.com/probity-run/probity/internal/drill"
)

// leftOutGroup is what was left out for one reason.
type leftOutGroup struct {
	words  []string // of faults; with the workload where there are several
	reason string
}

// fewer is why a fault was injected fewer times than was to be.
const fewer = "not as often as --repeat says: the budget had no room for more (--budget), or not all replicas were ready again"

// leftOut are the faults that were not tried, a group for each reason, and then those that were not
// tried often enough.
func leftOut(r *drill.Report) (groups []leftOutGroup) {
	for _, l := range append(slices.Clone(r.LeftOut), tooFew(r)...) {
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

// tooFew are the faults that were injected fewer times than was to be, if nobody has ended the
// drill before.
func tooFew(r *drill.Report) (all []drill.LeftOut) {
	for _, result := range r.Results {
		said := func(l drill.LeftOut) bool { return l.Fault == result.Fault && l.Workload == result.Workload }
		if slices.ContainsFunc(r.LeftOut, said) {
			continue
		}
		if result.Done < result.Wanted && !r.Interrupted {
			all = append(all, drill.LeftOut{Fault: fmt.Sprintf("%s (%d of %d)", result.Fault, result.Done, result.Wanted), Workload: result.Workload, Reason: fewer})
		}
	}
	return all
}
