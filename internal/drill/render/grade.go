package render

import (
	"fmt"
	"slices"
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

// count is how many faults have which worst grade, and how many there are.
func count(r *drill.Report) (n map[drill.Grade]int, all int) {
	n = map[drill.Grade]int{}
	for _, result := range r.Results {
		if result.Side != drill.SideNone {
			n[worst(result)]++
			all++
		}
	}
	return n, all
}

// failsAtRest reports whether a workload fails without any fault.
func failsAtRest(r *drill.Report) bool {
	return slices.ContainsFunc(r.Results, func(result *drill.Result) bool {
		return result.Side == drill.SideNone && worst(result) == drill.GradeFail
	})
}

// broken are how many assertions do not hold.
func broken(r *drill.Report) (n int) {
	for _, a := range r.Assertions {
		if !a.Holds {
			n++
		}
	}
	return n
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
