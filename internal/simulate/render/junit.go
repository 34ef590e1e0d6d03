package render

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/probity-run/probity/internal/simulate"
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

// JUnit writes assertions as the XML that CI systems read: a test case for each.
func JUnit(out io.Writer, title string, assertions []simulate.AssertionResult) error {
	suite := junitSuite{Name: "probity simulate", Tests: len(assertions)}
	for _, a := range assertions {
		c := junitCase{Name: a.Assertion, Class: title}
		if !a.Holds {
			suite.Failures++
			c.Failure = &junitFailure{Message: "got " + a.Got}
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
