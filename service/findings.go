package service

import (
	"bytes"
	"errors"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/deploy"
	"github.com/probity-run/probity/internal/formats"
)

// A Finding is something that probity check has found in a service: it is valid, and leads to
// something that is hardly meant.
type Finding struct {
	// Rule is its name, which `probity explain` tells more about.
	Rule string
	// Severity is "outage", which is certain, "risk", "waste" or "style".
	Severity string
	// Field is its path, as in "readiness_probe.config.port"; empty for the whole.
	Field string
	// Message is what it leads to.
	Message string
}

// String gives "SEVERITY: FIELD: MESSAGE (RULE)".
func (f Finding) String() string {
	text := f.Severity + ": "
	if f.Field != "" {
		text += f.Field + ": "
	}
	return text + f.Message + " (" + f.Rule + ")"
}

// A FindingsError is a service that is valid and would be an outage for certain. It stands in a
// [*RefusedError].
type FindingsError struct{ Findings []Finding }

// Error gives a line for each.
func (e *FindingsError) Error() string {
	var text strings.Builder
	text.WriteString("probity check foresees an outage; Target.SkipCheck passes over it")
	for _, f := range e.Findings {
		text.WriteString("\n" + f.String())
	}
	return text.String()
}

// Findings is what probity check finds in the service: what leads to an outage, and what may. The
// error is an [*InvalidError].
func (s Service) Findings() ([]Finding, error) {
	if _, err := s.Validate(); err != nil {
		return nil, err
	}
	report, err := s.judge(formats.Options{})
	if report == nil {
		return nil, err
	}
	return findingsOf(report.Findings), nil
}

// judge is what probity check says of a service that is valid. The error is a [*FindingsError] if
// that stops a deployment.
func (s Service) judge(opts formats.Options) (*advisor.Report, error) {
	text, err := s.YAML()
	if err != nil {
		return nil, err
	}
	manifests, err := advisor.ReadFormats(formats.All(opts), bytes.NewReader(text), nil, "-")
	if err != nil {
		return nil, err
	}
	report, err := deploy.Judge(manifests, advisor.Outage)
	if found, ok := errors.AsType[*deploy.FoundError](err); ok {
		err = &FindingsError{findingsOf(found.Findings)}
	}
	return report, err
}

func findingsOf(found []advisor.Finding) (list []Finding) {
	for _, f := range found {
		_, field := f.Words()
		list = append(list, Finding{f.Rule, f.Severity.String(), field, f.Message})
	}
	return list
}
