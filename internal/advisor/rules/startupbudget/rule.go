// Package startupbudget finds probes that contradict each other about the start.
package startupbudget

import "github.com/probity-run/probity/internal/advisor"

// Rule is startup-budget-contradiction.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "startup-budget-contradiction",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "The startupProbe allows less time than another probe waits before its first check.",
			Consequence: advisor.Prose(`
				One of the two is wrong. If the program needs the longer time, the startupProbe kills it at every start; if the shorter one is enough,
				every start wastes the difference.`),
			Remedy: "Let the startupProbe alone say how long a start may take, and remove the delay: the other probes wait for it anyway.",
			Before: `startupProbe:   {periodSeconds: 5, failureThreshold: 4}   # 20 s
readinessProbe: {initialDelaySeconds: 60}`,
			After: `startupProbe:   {periodSeconds: 5, failureThreshold: 13}  # 60 s and one period
readinessProbe: {}`,
			KubeletRules: []string{"R19", "R20", "R23"},
			SeeAlso:      []string{"W_kill = D+F*P", "F >= ceil((S-D)/P)+1"},
		},
		Covers: []string{"readiness-delay"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		start := c.Startup
		if start == nil {
			continue
		}
		other := c.Readiness // a delay of liveness is habit more often than knowledge
		if other == nil || other.Delay <= start.StartFatal() {
			continue
		}
		f := start.Finding("failureThreshold",
			"the startupProbe gives up after %d s, but %s waits %d s before its first check: if a start takes that long it is killed at "+
				"every attempt, and if not, every start wastes %d s",
			start.StartFatal(), other.TypeName(), other.Delay, other.Delay-start.StartSafe())
		f.Patch = start.Set("failureThreshold", start.ThresholdForStart(other.Delay))
		f.Patch.Edits = append(f.Patch.Edits, other.WithoutDelay()...)
		f.Patch.Summary += ", and no delay of readiness"
		f.Scenario = c.SlowStart(other.Delay)
		found = append(found, f)
	}
	return found
}
