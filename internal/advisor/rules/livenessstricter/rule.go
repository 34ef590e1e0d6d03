// Package livenessstricter finds liveness probes that act long before readiness does.
package livenessstricter

import "github.com/probity-run/probity/internal/advisor"

// propagation is how long, in seconds, a cluster may take to route around a pod that is no longer
// ready.
const propagation = 10

// Rule is liveness-stricter-than-readiness.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "liveness-stricter-than-readiness",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "Liveness gives up long before readiness does.",
			Consequence: advisor.Prose(`
				A replica that stalls is killed, with the requests that it holds, while it still gets new ones: readiness would have drained it, but never
				comes to it.`),
			Remedy: advisor.Prose(`
				Readiness first: choose the numbers so that the A of liveness, (F-1)*max(P,T)+T, is at least the A+P of readiness plus the time that a
				cluster takes to reroute.`),
			Before: `readinessProbe: {periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 3}   # drains after 45 to 65 s
livenessProbe:  {periodSeconds: 2, timeoutSeconds: 1, failureThreshold: 3}    # kills after 5 to 7 s`,
			After: `readinessProbe: {periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 2}    # drains after 7 to 12 s
livenessProbe:  {periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6}   # kills after 55 to 65 s`,
			KubeletRules: []string{"R37", "R40", "R100"},
			SeeAlso:      []string{"A = (F-1)*max(P,T)+T"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		live, ready := c.Liveness, c.Readiness
		// only if every stall that readiness can notice has killed the container before
		if live == nil || ready == nil || live.CertainStall() > ready.ToleratedStall() {
			continue
		}
		f := live.Finding("",
			"a stall of %d s kills the container, but readiness drains it only after %d to %d s: it is killed while it still gets requests",
			live.CertainStall(), ready.ToleratedStall(), ready.CertainStall())
		if len(w.Traffic()) == 0 {
			f.Severity = advisor.Waste
		}
		f.Patch = live.Set("failureThreshold", live.ThresholdForStall(ready.CertainStall()+propagation))
		f.Scenario = live.Stall(live.CertainStall())
		found = append(found, f)
	}
	return found
}
