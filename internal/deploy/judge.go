package deploy

import (
	"fmt"
	"slices"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/rules"
)

// A FoundError is what probity check has found that stops a deployment.
type FoundError struct {
	// Least is the severity from which on a finding stops it.
	Least advisor.Severity
	// Findings are those that do.
	Findings []advisor.Finding
}

// Error says which severity it was that stopped it; what was found is said by who shows it.
func (e *FoundError) Error() string {
	return fmt.Sprintf("check has findings of severity %s or worse", e.Least)
}

// Judge is what probity check says of manifests that are to be deployed. The error is a
// [*FoundError] if a finding has this severity, or a worse one.
func Judge(m *advisor.Manifests, least advisor.Severity) (*advisor.Report, error) {
	report := advisor.NewReport(m, rules.All(), nil)
	stops := slices.DeleteFunc(slices.Clone(report.Findings), func(f advisor.Finding) bool { return f.Severity < least })
	if len(stops) > 0 {
		return report, &FoundError{least, stops}
	}
	return report, nil
}
