// Package readinesssensitive finds readiness probes that one slow answer makes fail.
package readinesssensitive

import "github.com/probity-run/probity/internal/advisor"

// bearable is the stall, in seconds, after which a replica should still get traffic;
// defaultThreshold is Kubernetes' default failureThreshold (R177).
const (
	bearable         = 2
	defaultThreshold = 3
)

// Rule is readiness-too-sensitive.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "readiness-too-sensitive",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "One slow answer takes the replica out of rotation.",
			Consequence: advisor.Prose(`
				Every short stall moves the replica's load to the others, and back. Under a load that slows all replicas down, all of them leave the
				Service together.`),
			Remedy:       "Let readiness miss at least two answers: failureThreshold 2 or 3.",
			Before:       "readinessProbe: {periodSeconds: 2, timeoutSeconds: 1, failureThreshold: 1}",
			After:        "readinessProbe: {periodSeconds: 2, timeoutSeconds: 1, failureThreshold: 3}",
			KubeletRules: []string{"R28", "R30", "R198"},
			SeeAlso:      []string{"A = (F-1)*max(P,T)+T"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		p := c.Readiness
		if p == nil || p.FailureThreshold > 1 || p.ToleratedStall() > bearable || len(w.Traffic()) == 0 {
			continue
		}
		f := p.Finding("failureThreshold",
			"one answer that takes more than %d s takes the replica out of Service %s: a stall of %d s surely does, and load that slows all "+
				"replicas empties it",
			p.Timeout, w.Traffic()[0].Name(), p.CertainStall())
		f.Patch = p.Set("failureThreshold", defaultThreshold)
		f.Scenario = p.Stall(p.CertainStall())
		found = append(found, f)
	}
	return found
}
