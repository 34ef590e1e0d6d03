// Package livenessequalsreadiness finds liveness probes that ask the same as readiness, and act at
// the same time.
package livenessequalsreadiness

import "github.com/probity-run/probity/internal/advisor"

// hang is the stall, in seconds, that overload does not explain any more: a liveness probe that
// tolerates so much is meant to restart.
const hang = 300

// propagation is how long, in seconds, a cluster may take to route around a pod that is no longer
// ready.
const propagation = 10

// Rule is liveness-equals-readiness.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "liveness-equals-readiness",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title:       "Liveness and readiness are the same request with the same timing.",
			Consequence: "Overload, which should only drain the replica, also kills it. The others get its load and follow; restarting makes it worse.",
			Remedy: advisor.Prose(`
				Keep the request if it is cheap and looks at nothing else, but let liveness tolerate more: its A, (F-1)*max(P,T)+T, must be at least the
				A+P of readiness plus the time that a cluster takes to reroute. Or give liveness a request of its own.`),
			Before: `readinessProbe: {httpGet: {path: /healthz, port: http}, failureThreshold: 3}
livenessProbe: {httpGet: {path: /healthz, port: http}, failureThreshold: 3}`,
			After: `readinessProbe: {httpGet: {path: /healthz, port: http}, failureThreshold: 3}
livenessProbe: {httpGet: {path: /healthz, port: http}, failureThreshold: 6}`,
			KubeletRules: []string{"R29", "R100"},
			SeeAlso:      []string{"A = (F-1)*max(P,T)+T", "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"},
		},
		Covers: []string{"liveness-stricter-than-readiness"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		live, ready := c.Liveness, c.Readiness
		if live == nil || ready == nil || !live.SameRequest(ready) || live.ToleratedStall() >= ready.CertainStall() {
			continue
		}
		if !w.RunsUntilStopped() || c.IsAside() {
			// overload is not what makes it slow, or its restart takes nothing from the others
			continue
		}
		f := live.Finding("",
			"liveness and readiness ask the same (%s): a stall of %d s drains the replica and one of %d s already kills it, so what should "+
				"only drain it also restarts it",
			live.Request(), ready.CertainStall(), live.CertainStall())
		if len(w.Traffic()) == 0 || live.ToleratedStall() >= hang {
			f.Severity = advisor.Waste
		}
		f.Patch = live.Set("failureThreshold", live.ThresholdForStall(ready.CertainStall()+propagation))
		f.Scenario = live.Stall(live.CertainStall())
		found = append(found, f)
	}
	return found
}
