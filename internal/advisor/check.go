package advisor

import (
	"cmp"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/printable"
)

// Check runs the rules over the manifests. The findings come in the order of the files; those that
// only repeat what another one says are left out, and those that an annotation accepts carry its
// reason in Suppressed.
func Check(m *Manifests, rules []Rule) []Finding {
	lines := map[string][]string{} // of the files that have findings
	var all []Finding
	judges := func(id string) bool { return slices.ContainsFunc(rules, func(r Rule) bool { return r.ID == id }) }
	judgesObjects := judges(ManifestInvalid)
	for _, workload := range m.Workloads {
		var found []Finding
		for _, r := range rules {
			if r.Check == nil || workload.IsFragment() && !r.Fragments {
				continue
			}
			for _, f := range r.Check(workload) {
				f.Rule, f.Severity = r.ID, cmp.Or(f.Severity, r.Severity)
				if f.Patch != nil {
					f.Patch.Effect = workload.effect(f.Patch)
				}
				found = append(found, f)
			}
		}
		found = withoutCovered(found, rules)
		if judgesObjects { // after the covered ones are gone: what only they have said must be said
			found = append(found, m.invalidObject(&workload.Object, found)...)
		}
		found = append(found, m.suppress(workload, found, rules)...)
		all = append(all, found...)
	}
	all = withoutRepeats(all)
	if judgesObjects {
		all = append(all, m.refused()...)
		for _, o := range m.others {
			all = append(all, accepted(m.invalidObject(o, all), o)...)
		}
	}
	if judges(FormatWarning) {
		all = append(all, m.formatWarnings()...)
	}
	for i := range all {
		all[i].Message = printable.CutMiddle(all[i].Message, maxMessage)
		m.locate(&all[i], lines)
	}
	all = withoutEchoes(all)
	m.withoutUnplayable(all)
	slices.SortStableFunc(all, Compare)
	return all
}

// maxMessage is how many bytes a message has at most. It quotes names of the manifest, and what is
// no valid name may have any length.
const maxMessage = 2000

// withoutRepeats keeps one of the findings about a Service's field that several of its workloads
// gave.
func withoutRepeats(found []Finding) []Finding {
	type place struct {
		rule, field string
		at          Position
	}
	seen := map[place]bool{}
	return slices.DeleteFunc(found, func(f Finding) bool {
		if f.Rule == ManifestInvalid { // a field may have several errors
			return false
		}
		p := place{f.Rule, f.Field, f.subject.Position}
		again := seen[p]
		seen[p] = true
		return again
	})
}

// maxSource is how many bytes a line has at most that is quoted. A whole manifest may be one line
// of JSON, and each of its findings would quote all of it.
const maxSource = 2000

// locate fills in where a finding is, and the line there. lines are those of the files so far.
func (m *Manifests) locate(f *Finding, lines map[string][]string) {
	at := f.subject.PositionOf(f.Field)
	if f.Original.Format == "" {
		f.Original = f.subject.Original(f.Field)
	}
	if f.at != nil {
		at = *f.at
	}
	at.Line, at.Column = max(at.Line, 1), max(at.Column, 1)
	f.Region = Region{at.File, at.Line, at.Column, at.Line, at.Column + 1}
	text, ok := lines[at.File]
	if !ok {
		text = strings.Split(string(m.Text(at.File)), "\n")
		lines[at.File] = text
	}
	if at.Line <= len(text) && len(text[at.Line-1]) <= maxSource {
		f.Source = strings.TrimSuffix(text[at.Line-1], "\r")
		if at.Line == 1 {
			f.Source = strings.TrimPrefix(f.Source, "\ufeff")
		}
		f.Region.EndColumn = tokenEnd(f.Source, at.Column)
	}
	if f.Object.Kind == "Secret" || f.Object.Kind == "" {
		f.Source = "" // it may be the secret, or a file of somebody else to which a link leads
	}
}
