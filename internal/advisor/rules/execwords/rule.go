// Package execwords finds exec probes that are written for a shell, but no shell runs them.
package execwords

import (
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/printable"
)

// Rule is exec-without-shell.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "exec-without-shell",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title: "An exec probe is a shell line, but no shell runs it.",
			Consequence: advisor.Prose(`
				A whole line in one word is the name of a program that does not exist: the probe errors for ever, so that readiness never comes and
				liveness never acts. Operators such as || are handed to the program as arguments.`),
			Remedy:       "One word an item, or sh -c with the line.",
			Before:       "exec: {command: [\"curl -f http://localhost:8080/health\"]}",
			After:        "exec: {command: [curl, -f, 'http://localhost:8080/health']}",
			KubeletRules: []string{"R83", "R85", "R48"},
		},
		Covers: []string{"curl-ignores-errors", "variable-not-expanded", "probe-cannot-fail"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, p := range w.Probes() {
		if p.Handler() != "exec" || len(p.Exec.Command) == 0 {
			continue
		}
		first := p.Exec.Command[0]
		_, hasScript := advisor.Script(p.Exec.Command)
		switch operator := slices.IndexFunc(p.Exec.Command, isOperator); {
		case len(p.Exec.Command) == 1 && strings.Contains(strings.TrimSpace(first), " ") && !strings.ContainsAny(first, "{}"):
			f := p.Finding("exec.command",
				"there is no program called %s: no shell takes the line apart, so the %s probe errors for ever; %s", printable.Quote(first), p.TypeName(), never(p.Field))
			if p.Field == advisor.LivenessProbe {
				f.Severity = advisor.Risk // the pod serves, and nobody sees it hang
			}
			found = append(found, f)
		case operator > 0 && !hasScript:
			f := p.Finding("exec.command",
				"%s is an argument of %s here, since no shell runs this: write sh -c and the line", printable.Quote(p.Exec.Command[operator]), printable.Line(printable.Cut(first)))
			f.Severity = advisor.Risk
			found = append(found, f)
		}
	}
	return found
}

func isOperator(word string) bool {
	return slices.Contains([]string{"||", "&&", "|", ">", ">>", "2>&1", ">/dev/null", "</dev/null"}, word)
}

func never(t advisor.ProbeField) string {
	switch t {
	case advisor.LivenessProbe:
		return "a hang is never noticed"
	case advisor.ReadinessProbe:
		return "the pod never becomes ready"
	}
	return "the container never counts as started"
}
