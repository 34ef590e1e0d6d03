package render

import (
	"bytes"
	"encoding/xml"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/drill/drilltest"
)

func junitOf(t *testing.T, r *drill.Report) junitSuite {
	t.Helper()
	var b bytes.Buffer
	if err := JUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	var suite junitSuite
	if err := xml.Unmarshal(b.Bytes(), &suite); err != nil {
		t.Fatalf("%v\n%s", err, &b)
	}
	return suite
}

func TestJUnit(t *testing.T) {
	got := junitOf(t, drilltest.Sample())
	want := junitSuite{
		XMLName: xml.Name{Local: "testsuite"}, Name: "probity drill", Tests: 7, Failures: 2, Errors: 1, Skipped: 1, Time: "214.000",
		Cases: []junitCase{
			{Name: "baseline", Class: "all workloads", Time: "0.000", Out: &junitWords{"expected: nothing\nmeasured: nothing\nbaseline passed: all was well without a fault"}},
			{
				Name: "hang", Class: "deployment/calculator", Time: "60.000", Out: &junitWords{"expected: out 0–2s, kill 7–10s\nmeasured: out 1.1–1.9s, kill 7.3–9.6s\nV3 passed: it left the Service in time"},
				Failure: &junitWhy{"late", "V1 late: replacing it took 15s more: a grace period it cannot use\n  Give the liveness probe a grace period of its own.\n" +
					"  probity check says the same: liveness-kill-too-slow\n  at app.yaml:58\n  --- app.yaml\n  +++ app.yaml\n  @@ -60,2 +60,3 @@\n" +
					"               periodSeconds: 3\n               failureThreshold: 3\n  +            terminationGracePeriodSeconds: 3"},
			},
			{
				Name: "dependency postgres down", Class: "deployment/calculator", Time: "0.000",
				Out: &junitWords{"expected: no restart\nmeasured: unready 1.4–2.2s\nV6 fleet emptied: 39 requests were refused that do not need it"},
			},
			{
				Name: "crash", Class: "deployment/calculator", Time: "0.000", Out: &junitWords{"expected: none lost but those in flight\nmeasured: could not be told"},
				Error: &junitWhy{"inconclusive", "V7 inconclusive: this machine was 312ms late"},
			},
			{Name: "kill within 9s", Class: "assertions", Failure: &junitWhy{Message: "got 9.6s"}},
			{Name: "restarts ≤ 3", Class: "assertions"},
			{Name: "deadlock", Class: "deployment/calculator", Skipped: &junitWhy{Message: "no annotation probity.run/drill.deadlock.calculator"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestJUnitOfAFailedDrill: a drill that went wrong, or was ended, is no success.
func TestJUnitOfAFailedDrill(t *testing.T) {
	r := &drill.Report{Failures: []string{"cannot undo hang"}, Interrupted: true}
	if got := junitOf(t, r); got.Tests != 2 || got.Errors != 2 {
		t.Errorf("%d tests, %d errors, want 2 and 2", got.Tests, got.Errors)
	}
}

// TestJUnitOfHostileTexts: it can be read, and shows nothing that a terminal obeys.
func TestJUnitOfHostileTexts(t *testing.T) {
	got := junitOf(t, overwritten())
	if got.Tests != 8 {
		t.Errorf("%d tests, want 8", got.Tests)
	}
	for _, c := range got.Cases {
		if bytes.ContainsAny([]byte(c.Name+c.Class), "\x00\x1b") {
			t.Errorf("%q in %q has control characters", c.Name, c.Class)
		}
	}
}
