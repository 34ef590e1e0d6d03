package advisor

import (
	"slices"

	"github.com/probity-run/probity/internal/manifest"
)

// A Report is what one run of probity check found, ready to be rendered.
type Report struct {
	// Findings are those that count.
	Findings []Finding
	// Accepted are those that an annotation accepts, with its reason in Suppressed. Known are those
	// of the baseline.
	Accepted, Known []Finding
	// Rules are those that were run.
	Rules []Rule
	// Files are the files with a workload in them, in order; Workloads counts the workloads.
	Files     []string
	Workloads int
	// Live means that objects of a cluster were judged, in so many namespaces, and not files.
	Live       bool
	Namespaces int
	// NotSeen is what of a cluster could not be read, each with the reason.
	NotSeen []string
	// PassedOver is what was not read, and OtherKinds are the objects that were not judged.
	PassedOver []manifest.PassedOver
	OtherKinds []manifest.Unknown
}

// Counted is the report without what is accepted or known.
func (r Report) Counted() *Report {
	r.Accepted, r.Known = nil, nil
	return &r
}

// NewReport runs the rules over the manifests and sorts the findings into those that count, are
// accepted, and are known. A nil baseline knows nothing.
func NewReport(m *Manifests, rules []Rule, baseline *Baseline) *Report {
	r := ReportOf(Check(m, rules), rules, baseline)
	r.Workloads, r.PassedOver, r.OtherKinds = len(m.Workloads), m.PassedOver, m.OtherKinds
	for _, workload := range m.Workloads {
		if file := workload.Object.Position.File; !slices.Contains(r.Files, file) {
			r.Files = append(r.Files, file)
		}
	}
	return r
}

// ReportOf sorts findings into those that count, are accepted, and are known. A nil baseline knows
// nothing.
func ReportOf(found []Finding, rules []Rule, baseline *Baseline) *Report {
	r := &Report{Rules: rules}
	known := baseline.filter()
	for _, f := range found {
		switch {
		case f.Suppressed != "":
			r.Accepted = append(r.Accepted, f)
		case known(f):
			r.Known = append(r.Known, f)
		default:
			r.Findings = append(r.Findings, f)
		}
	}
	return r
}

// Worst is the largest severity among the findings that count, or 0 if there are none.
func (r *Report) Worst() Severity {
	worst := Severity(0)
	for _, f := range r.Findings {
		worst = max(worst, f.Severity)
	}
	return worst
}
