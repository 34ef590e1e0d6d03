package render

import (
	"fmt"
	"strings"

	"github.com/probity-run/probity/internal/drill"
)

// grades are all of them, the worst first.
func grades() []drill.Grade {
	return []drill.Grade{drill.GradeFail, drill.GradeInconclusive, drill.GradeWarning, drill.GradePass}
}

// worst is the worst grade of a result's verdicts.
func worst(r *drill.Result) drill.Grade {
	for _, g := range grades() {
		for _, v := range r.Verdicts {
			if v.Grade == g {
				return g
			}
		}
	}
	return drill.GradePass
}

// count is how many results have which worst grade, and how many of them are faults: the baseline
// is none.
func count(r *drill.Report) (n map[drill.Grade]int, all int) {
	n = map[drill.Grade]int{}
	for _, result := range r.Results {
		n[worst(result)]++
		if result.Side != drill.SideNone {
			all++
		}
	}
	return n, all
}

// adviceText is what to do, in lines.
func adviceText(a *drill.Advice) string {
	lines := []string{shown(a.Text)}
	if a.Rule != "" {
		lines = append(lines, "probity check says the same: "+a.Rule)
	}
	if a.File != "" {
		lines = append(lines, "at "+place(a.File, a.Line))
	}
	if a.Patch != "" {
		for line := range strings.Lines(a.Patch) {
			lines = append(lines, shown(strings.TrimRight(line, "\n")))
		}
	}
	return strings.Join(lines, "\n")
}

// place is a line of a file.
func place(file string, line int) string {
	if line == 0 {
		return shown(file)
	}
	return fmt.Sprintf("%s:%d", shown(file), line)
}
