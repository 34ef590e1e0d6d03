// Package successthreshold finds success thresholds that the API server refuses.
package successthreshold

import "github.com/probity-run/probity/internal/advisor"

// Rule is success-threshold-invalid.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "success-threshold-invalid",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title:        "successThreshold is not 1 on a liveness or startup probe.",
			Consequence:  "The API server refuses the object: nothing is created, nothing is updated.",
			Remedy:       "Only readiness can ask for several successes in a row.",
			Before:       "livenessProbe: {successThreshold: 2}",
			After:        "livenessProbe: {successThreshold: 1}",
			KubeletRules: []string{"R31", "R181"},
		},
		Covers:    []string{"probe-invalid"},
		Fragments: true,
		Check:     check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, p := range w.Probes() {
		if p.Field == advisor.ReadinessProbe || p.Spec.SuccessThreshold == 1 {
			continue
		}
		f := p.Finding("successThreshold", "the API server refuses successThreshold %d on a %s probe: it must be 1", p.Spec.SuccessThreshold, p.TypeName())
		f.Patch = p.Set("successThreshold", 1)
		found = append(found, f)
	}
	return found
}
