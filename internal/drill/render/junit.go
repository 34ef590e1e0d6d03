package render

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/printable"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string      `xml:"name,attr"`
	Class   string      `xml:"classname,attr"`
	Time    string      `xml:"time,attr,omitempty"`
	Failure *junitWhy   `xml:"failure,omitempty"`
	Error   *junitWhy   `xml:"error,omitempty"`
	Skipped *junitWhy   `xml:"skipped,omitempty"`
	Out     *junitWords `xml:"system-out,omitempty"`
}

type junitWhy struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type junitWords struct {
	Text string `xml:",chardata"`
}

// JUnit writes a report as the XML that CI systems read: a test case for each fault in each
// workload, and one for each assertion. What could not be told, because the machine was too busy,
// is an error; what was left out is skipped; a warning passes, and stands in the case's output.
func JUnit(out io.Writer, r *drill.Report) error {
	suite := &junitSuite{Name: "probity drill", Time: junitTime(r.Took)}
	for _, result := range r.Results {
		suite.add(resultCase(result))
	}
	for _, a := range r.Assertions {
		c := junitCase{Name: shown(a.Text), Class: "assertions"}
		if !a.Holds {
			c.Failure = &junitWhy{Message: "got " + shown(a.Got)}
		}
		suite.add(c)
	}
	for _, l := range r.LeftOut {
		suite.add(junitCase{Name: shown(l.Fault), Class: shown(classOf(l.Workload)), Skipped: &junitWhy{Message: shown(l.Reason)}})
	}
	for _, f := range r.Failures {
		suite.add(junitCase{Name: "the drill itself", Class: "drill", Error: &junitWhy{Message: shown(f)}})
	}
	if r.Interrupted {
		suite.add(junitCase{Name: "the rest of the plan", Class: "drill", Error: &junitWhy{Message: "the drill was interrupted"}})
	}
	data, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write JUnit: %w", err)
	}
	if _, err = fmt.Fprintf(out, "%s%s\n", xml.Header, data); err != nil {
		return fmt.Errorf("cannot write JUnit: %w", err)
	}
	return nil
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// resultCase is the case of a fault.
func resultCase(r *drill.Result) junitCase {
	c := junitCase{Name: shown(r.Title), Class: shown(classOf(r.Workload))}
	var took drill.Offset
	for _, p := range r.Repetitions {
		took += p.Until - p.Begin
	}
	c.Time = junitTime(took)
	var why, beside []string
	for _, v := range r.Verdicts {
		line := shown(v.Rule + " " + v.Word + ": " + v.Text)
		if a := v.Advice; a != nil {
			line += "\n" + indented(adviceText(a))
		}
		if v.Grade == worst(r) {
			why = append(why, line)
		} else {
			beside = append(beside, line)
		}
	}
	beside = append([]string{"expected: " + shown(r.Expected), "measured: " + shown(r.Measured)}, beside...)
	switch worst(r) {
	case drill.GradeFail:
		c.Failure = &junitWhy{headline(r), strings.Join(why, "\n")}
	case drill.GradeInconclusive:
		c.Error = &junitWhy{headline(r), strings.Join(why, "\n")}
	default:
		beside = append(beside, why...)
	}
	c.Out = &junitWords{strings.Join(beside, "\n")}
	return c
}

// headline is the worst of a result in a line.
func headline(r *drill.Result) string {
	var words []string
	for _, v := range r.Verdicts {
		if v.Grade == worst(r) {
			words = append(words, shown(v.Word))
		}
	}
	return strings.Join(words, "; ")
}

func classOf(workload string) string {
	if workload == "" {
		return "all workloads"
	}
	return workload
}

func junitTime(o drill.Offset) string { return fmt.Sprintf("%.3f", time.Duration(o).Seconds()) }

func indented(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// shown is a text of others: nothing in it moves letters or is hidden.
func shown(text string) string { return printable.Text(text) }
