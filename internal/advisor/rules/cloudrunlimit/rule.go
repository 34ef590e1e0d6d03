// Package cloudrunlimit finds probes with numbers that Cloud Run refuses.
package cloudrunlimit

import (
	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/formats/knative"
)

// The most seconds that Cloud Run takes for a delay and for a period.
const (
	startupMost = 240
	otherMost   = 3600
)

// Rule is cloud-run-limit.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "cloud-run-limit",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title: "A probe of a Cloud Run service has a number that Cloud Run does not take.",
			Consequence: advisor.Prose(`
				Cloud Run takes initialDelaySeconds and periodSeconds up to 240 for a startup probe and up to 3600 for the others, and no timeoutSeconds
				above periodSeconds. Kubernetes has no such limits. A revision with other numbers is refused when it is deployed.`),
			Remedy: "Write a number within the limits; a long start is periodSeconds times failureThreshold.",
			Before: `startupProbe:
  periodSeconds: 300`,
			After: `startupProbe:
  periodSeconds: 60
  failureThreshold: 5`,
			KubeletRules: []string{"R12"},
		},
		Covers: []string{"timeout-ge-period"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	if w.Object.Original("").Format != knative.CloudRunName {
		return nil
	}
	var found []advisor.Finding
	for _, p := range w.Probes() {
		if !w.Object.Has(p.Path) {
			continue
		}
		most := otherMost
		if p.Field == advisor.StartupProbe {
			most = startupMost
		}
		if p.Delay > most {
			found = append(found, p.Finding("initialDelaySeconds", "initialDelaySeconds %d: Cloud Run takes at most %d for a %s probe", p.Delay, most, p.TypeName()))
		}
		if p.Period > most {
			found = append(found, p.Finding("periodSeconds", "periodSeconds %d: Cloud Run takes at most %d for a %s probe", p.Period, most, p.TypeName()))
		}
		if p.Timeout > p.Period {
			found = append(found, p.Finding("timeoutSeconds", "timeoutSeconds %d is larger than periodSeconds %d, which Cloud Run refuses", p.Timeout, p.Period))
		}
	}
	return found
}
