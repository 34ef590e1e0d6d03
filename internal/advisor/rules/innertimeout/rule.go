// Package innertimeout finds commands that wait longer than the timeout of their probe.
package innertimeout

import (
	"math"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is exec-inner-timeout.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "exec-inner-timeout",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "The command inside an exec probe waits longer than timeoutSeconds.",
			Consequence: advisor.Prose(`
				The command is killed before it can say what is wrong, so that events only ever tell of a timeout; what it had started may stay behind and
				pile up.`),
			Remedy: "Let the command give up first: its own limit below timeoutSeconds.",
			Before: `exec: {command: [curl, --max-time, '30', 'http://localhost:8080/health']}
timeoutSeconds: 2`,
			After: `exec: {command: [curl, --max-time, '1', 'http://localhost:8080/health']}
timeoutSeconds: 2`,
			KubeletRules: []string{"R86", "R88"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, p := range w.Probes() {
		if p.Exec == nil {
			continue
		}
		wait, words := advisor.Wait(p.Exec.Command)
		if wait.Seconds() <= float64(p.Timeout) {
			continue
		}
		f := p.Finding("exec.command",
			"the command waits up to %v (%s) but is killed after %d s: what it would have said never arrives", wait, words, p.Timeout)
		if enough := int(math.Ceil(wait.Seconds())) + 1; enough <= p.Period {
			f.Patch = p.Set("timeoutSeconds", enough)
		}
		found = append(found, f)
	}
	return found
}
