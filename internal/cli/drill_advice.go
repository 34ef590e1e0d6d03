package cli

import (
	"slices"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/drill/advice"
)

// addAdvice says what can be done about verdicts. The files are read again, as they are now, with
// what can be read of them: they could be run, and it is only advice. Standard input is gone.
func addAdvice(report *drill.Report, files []string) {
	files = slices.DeleteFunc(slices.Clone(files), func(f string) bool { return f == "-" })
	m, _ := advisor.Read(nil, nil, files...)
	if m != nil {
		advice.Add(report, m)
	}
}
