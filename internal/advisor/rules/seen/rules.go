// Package seen documents what probity check finds in a cluster by what has happened there alone.
// Its findings come from package evidence.
package seen

import "github.com/probity-run/probity/internal/advisor"

// The ids of what is seen and no rule has foretold.
const (
	Restarts  = "restarts-seen"
	Flaps     = "flaps-seen"
	SlowStart = "slow-start-seen"
)

// Rules document the findings that rest on what was seen alone. Nothing checks a manifest for them.
func Rules() []advisor.Rule {
	return []advisor.Rule{
		{ID: Restarts, Severity: advisor.Risk, Doc: advisor.Doc{
			Title: "Containers of what runs were restarted again and again.",
			Consequence: advisor.Prose(`
				Each restart loses the requests that are on their way, the caches, and the time of a start; with back-off up to five minutes. It is an outage
				if a probe killed them, as Events show. Without such Events, which a cluster keeps for an hour, the cause was not seen.`),
			Remedy: advisor.Prose(`
				Look at the exit code and the last lines of the instance before (kubectl logs --previous). If liveness killed it, compare the stalls of the
				service with the one that the probe surely survives: probity simulate shows both.`),
			Before:       "livenessProbe: {httpGet: {path: /livez, port: http}, timeoutSeconds: 1, failureThreshold: 1}",
			After:        "livenessProbe: {httpGet: {path: /livez, port: http}, timeoutSeconds: 5, failureThreshold: 3}",
			KubeletRules: []string{"R28"},
			SeeAlso:      []string{"A = (F-1)*max(P,T)+T"},
		}},
		{ID: Flaps, Severity: advisor.Risk, Doc: advisor.Doc{
			Title: "Pods of what runs were Ready, and then were not.",
			Consequence: advisor.Prose(`
				Their share of the requests goes to the others, and comes back. If several Pods leave at once, something that they share was slow or away: the
				Service may be empty then.`),
			Remedy: advisor.Prose(`
				Read what the probe said. Readiness that asks what all replicas share empties the Service with it; readiness that is too strict turns a short
				stall into a move of load.`),
			Before:       "readinessProbe: {httpGet: {path: /health/deep, port: http}, failureThreshold: 1}",
			After:        "readinessProbe: {httpGet: {path: /readyz, port: http}, failureThreshold: 3}",
			KubeletRules: []string{"R30"},
		}},
		{ID: SlowStart, Severity: advisor.Risk, Doc: advisor.Doc{
			Title: "The slowest start of what runs came near to the time after which it would have been killed.",
			Consequence: advisor.Prose(`
				A start that is a little slower, on a busy node or with a cold cache, is killed and begins again, which makes the node busier: that is how
				restart loops begin.`),
			Remedy:       "Allow several times the slowest start that was seen: a larger failureThreshold of the startup probe costs nothing when starts are fast.",
			Before:       "startupProbe: {httpGet: {path: /startupz, port: http}, periodSeconds: 5, failureThreshold: 6}",
			After:        "startupProbe: {httpGet: {path: /startupz, port: http}, periodSeconds: 5, failureThreshold: 30}",
			KubeletRules: []string{"R30"},
			SeeAlso:      []string{"W_safe = D+(F-1)*P"},
		}},
	}
}
