// Package cannotfail finds exec probes that succeed whatever happens.
package cannotfail

import (
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/printable"
)

// Rule is probe-cannot-fail.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "probe-cannot-fail",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "An exec probe ends with 0 whatever happens.",
			Consequence: advisor.Prose(`
				The exit status is all that counts. Behind || true, ; exit 0 or echo it is 0 when the check has failed, too: readiness lets traffic to a
				pod that cannot serve it, liveness never restarts a container that hangs, and whoever reads the manifest believes that both are watched.`),
			Remedy:       "Let the status of the check be the last one, or leave the probe out.",
			Before:       "readinessProbe: {exec: {command: [sh, -c, 'pg_isready -q || true']}}",
			After:        "readinessProbe: {exec: {command: [pg_isready, -q]}}",
			KubeletRules: []string{"R84"},
		},
		Covers: []string{"shell-words-lost", "liveness-equals-readiness", "liveness-stricter-than-readiness", "liveness-checks-dependency",
			"readiness-checks-shared-dependency"},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, p := range w.Probes() {
		if p.Handler() != "exec" {
			continue
		}
		if lost, ok := advisor.CannotFail(p.Exec.Command); ok && lost == "" {
			found = append(found, p.Finding("exec.command", "%s ends with 0 whatever happens: %s",
				printable.Quote(strings.Join(p.Exec.Command, " ")), p.NeverFails()))
		}
	}
	return found
}
