// Package timeoutshort finds timeouts that a throttled container cannot keep.
package timeoutshort

import (
	"fmt"

	"github.com/probity-run/probity/internal/advisor"
)

// CPU limits, in thousandths, up to which one second is short: the container may run for a few
// milliseconds of every tenth of a second.
const (
	small    = 100
	verySlow = 50
)

// Rule is timeout-too-short.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "timeout-too-short",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "A timeout of 1 s, the default, on a container that is throttled.",
			Consequence: advisor.Prose(`
				With 50m of a CPU a container runs for 5 ms of every 100 ms. A garbage collection or a burst of requests makes it miss the second, and
				three misses in a row kill it: restarts under load that look like crashes.`),
			Remedy: "Give the answer more time, up to half the period, or give the container more CPU.",
			Before: `resources: {limits: {cpu: 50m}}
livenessProbe:
  httpGet: {path: /livez, port: http}`,
			After: `resources: {limits: {cpu: 50m}}
livenessProbe:
  httpGet: {path: /livez, port: http}
  timeoutSeconds: 5`,
			KubeletRules: []string{"R58", "R177"},
			SeeAlso:      []string{"A = (F-1)*max(P,T)+T"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		limit := c.CPULimit()
		p := c.Liveness
		if limit == 0 || limit > small || p == nil || p.Timeout > 1 {
			continue
		}
		origin := "timeoutSeconds 1"
		if !w.Object.Has(p.Path + ".timeoutSeconds") {
			origin = "the default timeout of 1 s"
		}
		f := p.Finding("timeoutSeconds",
			"%s with a CPU limit of %dm, which is %s ms of every 100 ms: an answer that costs little more in the wrong moment comes too "+
				"late, and %d of them in a row restart the container",
			origin, limit, fmt.Sprintf("%.3g", float64(limit)/10), p.FailureThreshold)
		if limit <= verySlow {
			f.Severity = advisor.Risk
		}
		if longer := min(p.Period/2, 5); longer > 1 {
			f.Patch = p.Set("timeoutSeconds", longer)
		}
		f.Scenario = p.Stall(p.CertainStall())
		found = append(found, f)
	}
	return found
}
