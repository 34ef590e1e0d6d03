package render

import (
	"bytes"
	"encoding/xml"
	"testing"

	"github.com/probity-run/probity/internal/simulate"
)

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := JUnit(&b, "app.yaml", []simulate.AssertionResult{{Assertion: "restarts == 0", Holds: true, Got: "0"}, {Assertion: "ready within 30s & <more>", Got: "never"}}); err != nil {
		t.Fatal(err)
	}
	var suite junitSuite
	if err := xml.Unmarshal(b.Bytes(), &suite); err != nil {
		t.Fatal(err)
	}
	if suite.Tests != 2 || suite.Failures != 1 || suite.Cases[0].Failure != nil || suite.Cases[1].Failure.Message != "got never" || suite.Cases[1].Name != "ready within 30s & <more>" {
		t.Errorf("%+v", suite)
	}
}
