// Package timeoutperiod finds timeouts that are longer than the period.
package timeoutperiod

import "github.com/probity-run/probity/internal/advisor"

// Rule is timeout-ge-period.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "timeout-ge-period",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "timeoutSeconds is larger than periodSeconds.",
			Consequence: advisor.Prose(`
				The kubelet runs one attempt of a probe at a time. A target that hangs is asked every timeoutSeconds, not every periodSeconds, so that a
				hang is noticed later than the numbers seem to say.`),
			Remedy: "Write the period that is really used, or a timeout below the period.",
			Before: `periodSeconds: 5
timeoutSeconds: 10`,
			After: `periodSeconds: 10
timeoutSeconds: 10`,
			KubeletRules: []string{"R10", "R12"},
			SeeAlso:      []string{"I = max(P,T)"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, p := range w.Probes() {
		if p.Timeout <= p.Period {
			continue
		}
		f := p.Finding("timeoutSeconds",
			"timeoutSeconds %d is larger than periodSeconds %d: attempts never overlap, so a target that hangs is asked every %d s, and the "+
				"%s probe acts after %d to %d s",
			p.Timeout, p.Period, p.Interval(), p.TypeName(), p.ToleratedStall(), p.CertainStall())
		f.Patch = p.Set("periodSeconds", p.Timeout)
		f.Scenario = p.Hang(p.CertainStall())
		found = append(found, f)
	}
	return found
}
