// Package livenessthreshold finds liveness probes that act on the first failure.
package livenessthreshold

import "github.com/probity-run/probity/internal/advisor"

// defaultThreshold is Kubernetes' default failureThreshold (R177).
const defaultThreshold = 3

// Rule is liveness-threshold-too-low.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "liveness-threshold-too-low",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "failureThreshold 1 on liveness: one slow answer restarts the container.",
			Consequence: advisor.Prose(`
				One probe in a thousand fails for reasons that are nobody's fault: a garbage collection, a busy node, a lost packet. With a threshold of 1
				and a period of 10 s that is a restart of every replica every three hours; with 3 it is one in three hundred years.`),
			Remedy:       "Ask more often and forgive more: P/3 and F = 3 notice a hang about as early as P and F = 1.",
			Before:       "livenessProbe: {periodSeconds: 30, failureThreshold: 1}",
			After:        "livenessProbe: {periodSeconds: 10, failureThreshold: 3}",
			KubeletRules: []string{"R28", "R30"},
			SeeAlso:      []string{"p^F"},
		},
		Covers: []string{"timeout-too-short", "liveness-equals-readiness", "liveness-stricter-than-readiness"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		p := c.Liveness
		if p == nil || p.FailureThreshold > 1 {
			continue
		}
		f := p.Finding("failureThreshold",
			"a single answer that takes more than %d s restarts the container: nothing slower than that may ever happen to it, not even "+
				"once", p.Timeout)
		f.Patch = p.Set("failureThreshold", defaultThreshold)
		f.Scenario = p.Stall(p.CertainStall())
		found = append(found, f)
	}
	return found
}
