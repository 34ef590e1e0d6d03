// Package curlfail finds exec probes to which an error of the server is a success.
package curlfail

import (
	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/printable"
)

// Rule is curl-ignores-errors.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "curl-ignores-errors",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "curl without -f succeeds with any answer, and nobody reads it.",
			Consequence: advisor.Prose(`
				To curl a 404 or a 503 is an answer like any other, so it ends with 0. The probe only notices that nobody answers at all: a server that
				says it is not ready gets traffic.`),
			Remedy:       "Add -f, or better, use httpGet: it needs no program in the image and no process for each probe.",
			Before:       "readinessProbe: {exec: {command: [curl, -s, 'http://localhost:8080/ready']}}",
			After:        "readinessProbe: {httpGet: {path: /ready, port: 8080}}",
			KubeletRules: []string{"R62", "R84"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		seen := map[string]bool{}
		for _, p := range c.Probes() {
			if p.Handler() != "exec" {
				continue
			}
			if _, ok := advisor.CannotFail(p.Exec.Command); ok {
				continue // that is worse, and said elsewhere
			}
			address, ok := advisor.UnreadCurl(p.Exec.Command)
			if !ok || seen[address] {
				continue
			}
			seen[address] = true
			found = append(found, p.Finding("exec.command",
				"without -f curl ends with 0 when %s answers 404 or 503, too, and nobody reads what it prints: the %s probe only notices that nothing answers",
				printable.Line(printable.Cut(address)), p.TypeName()))
		}
	}
	return found
}
