package simulate

import (
	"encoding/xml"
	"fmt"
	"io"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
}

// WriteJUnit writes verdicts as the JUnit XML that CI systems read: a test case for each assertion.
func WriteJUnit(out io.Writer, title string, verdicts []Verdict) error {
	suite := junitSuite{Name: "probity simulate", Tests: len(verdicts)}
	for _, v := range verdicts {
		c := junitCase{Name: v.Assertion, Class: title}
		if !v.Holds {
			suite.Failures++
			c.Failure = &junitFailure{Message: "got " + v.Got}
		}
		suite.Cases = append(suite.Cases, c)
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
