package render

import (
	"testing"

	"github.com/probity-run/probity/internal/drill"
)

// TestOutcome: the line and the sign say the same as the exit code.
func TestOutcome(t *testing.T) {
	fault := func(side drill.Side, g drill.Grade) *drill.Result {
		return &drill.Result{Side: side, Verdicts: []drill.Verdict{{Grade: g}}}
	}
	rest, well := fault(drill.SideNone, drill.GradePass), fault(drill.SideOutside, drill.GradePass)
	for name, test := range map[string]struct {
		report drill.Report
		title  string
		grade  drill.Grade
	}{
		"all is well":            {drill.Report{Results: []*drill.Result{rest, well}}, "1 fault survived as they should be", drill.GradePass},
		"a warning":              {drill.Report{Results: []*drill.Result{rest, well, fault(drill.SideOutside, drill.GradeWarning)}}, "2 faults survived, 1 with a warning", drill.GradeWarning},
		"a failure":              {drill.Report{Results: []*drill.Result{rest, fault(drill.SideEnd, drill.GradeFail), well}}, "1 of 2 faults not survived as they should be", drill.GradeFail},
		"without any fault":      {drill.Report{Results: []*drill.Result{fault(drill.SideNone, drill.GradeFail)}}, "Requests fail without any fault", drill.GradeFail},
		"of a second workload":   {drill.Report{Results: []*drill.Result{rest, fault(drill.SideNone, drill.GradeFail), well}}, "Requests fail without any fault", drill.GradeFail},
		"a sentence":             {drill.Report{Results: []*drill.Result{rest, well}, Assertions: []drill.Assertion{{Holds: true}, {}}}, "1 of 2 assertions not fulfilled", drill.GradeFail},
		"interrupted":            {drill.Report{Interrupted: true, Results: []*drill.Result{rest, well}}, "The drill was interrupted", drill.GradeInconclusive},
		"interrupted at start":   {drill.Report{Interrupted: true}, "The drill was interrupted", drill.GradeInconclusive},
		"interrupted, a failure": {drill.Report{Interrupted: true, Results: []*drill.Result{fault(drill.SideEnd, drill.GradeFail)}}, "1 of 1 fault not survived as they should be", drill.GradeFail},
		"not undone":             {drill.Report{Failures: []string{"cannot undo hang"}}, "The drill itself failed", drill.GradeFail},
	} {
		if title, grade := Outcome(&test.report); title != test.title || grade != test.grade {
			t.Errorf("%s: %q, %s; want %q, %s", name, title, grade, test.title, test.grade)
		}
	}
}

// TestJUnitOfWhatWasNotTried: a fault that was asked for, and asserted, is no success if nothing
// was tried of it.
func TestJUnitOfWhatWasNotTried(t *testing.T) {
	f, err := drill.ParseFault("deadlock")
	if err != nil {
		t.Fatal(err)
	}
	r := &drill.Report{LeftOut: []drill.LeftOut{{Fault: "deadlock", Reason: "nothing says how"}}}
	r.AssertTried([]drill.Fault{f})
	if got := junitOf(t, r); got.Failures != 1 || got.Cases[0].Name != "deadlock is tried" || got.Cases[0].Failure.Message != "got nothing: nothing says how" {
		t.Errorf("%+v", got)
	}
}
