// Package render writes a report of the advisor in the forms that people, editors and CI systems
// read.
package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
)

// Options are how to write.
type Options struct {
	// FailOn is the severity from which findings count as failures. Default Risk.
	FailOn advisor.Severity
	// Version of Probity, for SARIF.
	Version string
}

func (o Options) failOn() advisor.Severity {
	if o.FailOn == 0 {
		return advisor.Risk
	}
	return o.FailOn
}

// A Writer writes a report. The error is the writer's.
type Writer func(w io.Writer, r *advisor.Report, o Options) error

// Formats are the names that For knows.
func Formats() []string { return []string{"text", "json", "sarif", "junit", "github", "gitlab"} }

// For returns the writer of that name.
func For(format string) (Writer, error) {
	i := slices.Index(Formats(), format)
	if i < 0 {
		return nil, fmt.Errorf("there is no output %q: use one of %s", format, strings.Join(Formats(), ", "))
	}
	return []Writer{Text, JSON, SARIF, JUnit, GitHub, GitLab}[i], nil
}

// where names the object and the container of a finding.
func where(f advisor.Finding) string {
	object, _ := f.Words()
	if f.Container == "" || f.Original.Format != "" { // which has no containers to tell apart
		return object.String()
	}
	return object.String() + ", container " + f.Container
}

// sentence is the message with its object and container before it, if there is an object.
func sentence(f advisor.Finding) string {
	if subject := where(f); subject != "" {
		return subject + ": " + f.Message
	}
	return f.Message
}

// fixLines are the patch and, on a second line, what it trades.
func fixLines(f advisor.Finding) string {
	p := f.Patch
	text := "fix: "
	if f.Original.Format != "" {
		text = "fix, in the words of Kubernetes: "
	}
	text += strings.ReplaceAll(p.Summary, "\n", " ")
	if p.Effect != "" {
		text += "\nthen " + p.Effect
	}
	return text
}
