// Package shellwords finds exec probes that give sh -c a command in several words.
package shellwords

import (
	"path"
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/printable"
)

// Rule is shell-words-lost.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "shell-words-lost",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "sh -c runs its next word only, and the words after it are lost.",
			Consequence: advisor.Prose(`
				What follows the script are the script's parameters $0, $1 and so on. So curl is run without its address and always fails, and cat
				without its file always succeeds.`),
			Remedy:       "Write the line as one word after -c, or leave sh -c out.",
			Before:       "livenessProbe: {exec: {command: [sh, -c, cat, /tmp/healthy]}}",
			After:        "livenessProbe: {exec: {command: [cat, /tmp/healthy]}}",
			KubeletRules: []string{"R83", "R84"},
		},
		Covers: []string{"liveness-checks-dependency", "readiness-checks-shared-dependency"},
		Check:  check,
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
			lost, left := advisor.LostWords(p.Exec.Command)
			if words := strings.Join(lost, " "); words != "" && !seen[words] {
				seen[words] = true // one wrong command, one finding
				found = append(found, finding(p, words, left))
			}
		}
	}
	return found
}

func finding(p *advisor.Probe, lost, left string) advisor.Finding {
	f := p.Finding("exec.command", "the shell runs %s only, and %s are its parameters, which it does not use: put all of it into one word", printable.Quote(left), printable.Quote(lost))
	if failsAlone(left) {
		f.Message += "; so the " + p.TypeName() + " probe always fails"
		f.Severity = advisor.Outage
	}
	return f
}

// failsAlone reports whether a program fails if it is given no arguments.
func failsAlone(program string) bool {
	return slices.Contains([]string{"curl", "wget", "test", "[", "grep", "egrep", "nc", "ncat", "netcat", "grpc_health_probe"}, path.Base(strings.TrimSpace(program)))
}
