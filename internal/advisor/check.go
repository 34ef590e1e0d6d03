package advisor

import (
	"cmp"
	"slices"
	"strings"
)

// Check runs the rules over a world. The findings come in the order of the files; those that only
// repeat what another one says are left out, and those that an annotation accepts carry its reason
// in Suppressed.
func Check(w *World, rules []Rule) []Finding {
	sources := map[string][]string{} // the lines of the files that have findings
	var all []Finding
	for _, workload := range w.Workloads {
		var found []Finding
		for _, r := range rules {
			if r.Check == nil || workload.IsFragment() && !r.Fragments {
				continue
			}
			for _, f := range r.Check(workload) {
				f.Rule, f.Severity = r.ID, cmp.Or(f.Severity, r.Severity)
				found = append(found, f)
			}
		}
		found = primary(found, rules)
		found = append(found, w.suppress(workload, found, rules)...)
		all = append(all, found...)
	}
	all = once(all)
	for i := range all {
		w.locate(&all[i], sources)
	}
	sortFindings(all)
	return all
}

// primary leaves out what another finding covers.
func primary(found []Finding, rules []Rule) []Finding {
	covers := map[string][]string{}
	for _, r := range rules {
		covers[r.ID] = r.Covers
	}
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool {
		return slices.ContainsFunc(found, func(by Finding) bool {
			same := by.container == f.container || by.container == "" || f.container == ""
			return same && slices.Contains(covers[by.Rule], f.Rule)
		})
	})
}

// once drops a finding about a Service that several of its workloads brought up.
func once(found []Finding) []Finding {
	type place struct {
		rule, field string
		at          Position
	}
	seen := map[place]bool{}
	return slices.DeleteFunc(found, func(f Finding) bool {
		p := place{f.Rule, f.Field, f.subject.Position}
		again := seen[p]
		seen[p] = true
		return again
	})
}

// locate fills in where a finding is and the line that is there.
func (w *World) locate(f *Finding, sources map[string][]string) {
	at := f.subject.PositionOf(f.Field)
	if f.at != nil {
		at = *f.at
	}
	f.Region = Region{at.File, at.Line, at.Column, at.Line, at.Column + 1}
	lines, ok := sources[at.File]
	if !ok {
		lines = strings.Split(string(w.files[at.File]), "\n")
		sources[at.File] = lines
	}
	if at.Line >= 1 && at.Line <= len(lines) {
		f.Source = strings.TrimSuffix(lines[at.Line-1], "\r")
		if at.Line == 1 {
			f.Source = strings.TrimPrefix(f.Source, "\ufeff")
		}
		f.Region.EndColumn = tokenEnd(f.Source, at.Column)
	}
}
