package cluster

import (
	"errors"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/evidence"
	"github.com/probity-run/probity/internal/advisor/rules/seen"
	"github.com/probity-run/probity/internal/manifest"
)

// Rules are those of files that can be about objects which a server has taken, and those about what
// was seen.
func Rules(ofFiles []advisor.Rule) []advisor.Rule {
	list := slices.DeleteFunc(slices.Clone(ofFiles), func(r advisor.Rule) bool { return r.ID == advisor.ManifestInvalid })
	return append(list, seen.Rules()...)
}

// Judge runs the rules over all objects and holds what they find against what was seen; see
// [Rules]. A nil baseline knows nothing. The error joins what could not be judged, beside what
// could.
func (o *Objects) Judge(rules []advisor.Rule, observed *evidence.Observations, baseline *advisor.Baseline) (*advisor.Report, error) {
	var found []advisor.Finding
	var errs []error
	workloads, namespaces := 0, 0
	all := observed.ByContainer()
	for _, ns := range o.sorted() {
		m, err := o.manifests(ns)
		errs = append(errs, err)
		found = append(found, judge(m, rules, observed, all)...)
		workloads += len(m.Workloads)
		if len(m.Workloads) > 0 {
			namespaces++
		}
	}
	r := advisor.ReportOf(found, rules, baseline)
	r.Workloads, r.Namespaces, r.Live = workloads, namespaces, true
	return r, errors.Join(errs...)
}

// judge finds what is wrong in one namespace.
func judge(m *advisor.Manifests, rules []advisor.Rule, observed *evidence.Observations, all evidence.ByContainer) []advisor.Finding {
	found := slices.DeleteFunc(advisor.Check(m, rules), isAboutSeen)
	found = observed.Merge(found, m.Workloads, all)
	for i := range found {
		found[i].Scenario = "" // there is no file to play
		found[i].Region, found[i].Source = advisor.Region{}, ""
	}
	accept(found, m.Workloads)
	slices.SortStableFunc(found, compare)
	return found
}

// isAboutSeen reports whether a finding says that an annotation accepts what is not found: what is
// seen is not found yet.
func isAboutSeen(f advisor.Finding) bool {
	return f.Rule == advisor.UnusedSuppression && slices.ContainsFunc(seen.Rules(), func(r advisor.Rule) bool {
		return strings.HasSuffix(f.Field, ".annotations["+manifest.AnnotationIgnore+r.ID+"]") && f.Patch != nil
	})
}

// accept marks what was seen and an annotation accepts.
func accept(found []advisor.Finding, workloads []*advisor.Workload) {
	for i := range found {
		f := &found[i]
		if f.Basis != advisor.Seen {
			continue
		}
		for _, w := range workloads {
			if w.Object.Ref() == f.Object {
				key := manifest.AnnotationIgnore + f.Rule
				f.Suppressed = strings.TrimSpace(w.Object.Resource.GetAnnotations()[key])
				if f.Suppressed == "" {
					f.Suppressed = strings.TrimSpace(w.Meta.Annotations[key])
				}
			}
		}
	}
}

// compare orders findings by object, then by severity.
func compare(a, b advisor.Finding) int {
	if c := strings.Compare(nameOf(a.Object), nameOf(b.Object)); c != 0 {
		return c
	}
	return advisor.Compare(a, b)
}
