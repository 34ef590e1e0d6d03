package render

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/printable"
)

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Failure *junitOutcome `xml:"failure,omitempty"`
		Skipped *junitOutcome `xml:"skipped,omitempty"`
	}
	junitOutcome struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit is for CI systems that show tests: a suite for each file, with a case for each finding, or
// one case that passes. Findings below FailOn and those that are accepted or known count as
// skipped.
func JUnit(w io.Writer, r *advisor.Report, o Options) error {
	all := junitSuites{}
	for _, file := range suites(r) {
		s := junitSuite{Name: printable.File(file)}
		for _, f := range r.Findings {
			if f.Region.File == file {
				s.add(f, f.Severity >= o.failOn(), "")
			}
		}
		for _, f := range r.Accepted {
			if f.Region.File == file {
				s.add(f, false, "accepted: "+f.Suppressed)
			}
		}
		for _, f := range r.Known {
			if f.Region.File == file {
				s.add(f, false, "known to the baseline")
			}
		}
		if len(s.Cases) == 0 {
			s.Tests = 1
			s.Cases = []junitCase{{Name: "no findings", Class: s.Name}}
		}
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// suites are the files with workloads, and those with findings about something else, a Service for
// example.
func suites(r *advisor.Report) []string {
	seen := map[string]bool{}
	var files []string
	add := func(file string) {
		if !seen[file] {
			seen[file] = true
			files = append(files, file)
		}
	}
	for _, file := range r.Files {
		add(file)
	}
	for _, list := range [][]advisor.Finding{r.Findings, r.Accepted, r.Known} {
		for _, f := range list {
			add(f.Region.File)
		}
	}
	return files
}

func (s *junitSuite) add(f advisor.Finding, fails bool, why string) {
	c := junitCase{Name: strings.TrimSuffix(fmt.Sprintf("%s: %s", f.Rule, printable.Line(where(f))), ": "), Class: s.Name}
	message := printable.Line(f.Message)
	lines := []string{fmt.Sprintf("%s:%d:%d: %s", s.Name, f.Region.Line, f.Region.Column, message)}
	if f.Patch != nil {
		for line := range strings.SplitSeq(fixLines(f), "\n") {
			lines = append(lines, printable.Line(line))
		}
	}
	text := strings.Join(lines, "\n")
	s.Tests++
	if fails {
		s.Failures++
		c.Failure = &junitOutcome{f.Severity.String(), message, text}
	} else {
		if why == "" {
			why = f.Severity.String() + ": " + message
		}
		s.Skipped++
		c.Skipped = &junitOutcome{Message: printable.Line(why), Text: text}
	}
	s.Cases = append(s.Cases, c)
}
