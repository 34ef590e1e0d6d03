// Package exitstatus finds exec probes whose check loses its exit status in a pipe.
package exitstatus

import (
	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/printable"
)

// Rule is exit-status-lost.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "exit-status-lost",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "A pipe loses the exit status of an exec probe's check.",
			Consequence: advisor.Prose(`
				The status of a pipe is that of its last command, and cat, tee, head and the like succeed whatever they read. So the probe succeeds when
				the check before the pipe has failed.`),
			Remedy: advisor.Prose(`
				Leave the pipe out: the kubelet keeps the output by itself. Or let the last command judge, as grep -q does, or set -o pipefail in a shell
				that has it.`),
			Before:       "livenessProbe: {exec: {command: [sh, -c, 'redis-cli ping | tee /tmp/ping']}}",
			After:        "livenessProbe: {exec: {command: [sh, -c, 'redis-cli ping | grep -q PONG']}}",
			KubeletRules: []string{"R84", "R87"},
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
		if lost, ok := advisor.CannotFail(p.Exec.Command); ok && lost != "" {
			found = append(found, p.Finding("exec.command", "the status of %s is lost in the pipe, whose last command always succeeds: %s", printable.Quote(lost), p.NeverFails()))
		}
	}
	return found
}
