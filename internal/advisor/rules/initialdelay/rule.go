// Package initialdelay finds delays in the place of a startupProbe.
package initialdelay

import (
	"fmt"

	"github.com/probity-run/probity/internal/advisor"
)

// long is the delay, in seconds, from which a hang at the start stays unseen for longer than a
// liveness probe usually takes.
const long = 60

// Rule is initial-delay-substitute.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "initial-delay-substitute",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "A long initialDelaySeconds stands in for a startupProbe.",
			Consequence: advisor.Prose(`
				For that time after every restart nobody looks: a program that hangs early is not noticed, and one that is up early waits for nothing.
				When the start outgrows the delay, liveness kills it.`),
			Remedy: "Let a startupProbe ask often and allow the same time; liveness begins as soon as it succeeds.",
			Before: `livenessProbe:
  httpGet: {path: /livez, port: http}
  initialDelaySeconds: 180`,
			After: `startupProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  failureThreshold: 19
livenessProbe:
  httpGet: {path: /livez, port: http}`,
			KubeletRules: []string{"R19", "R20"},
			SeeAlso:      []string{"W_safe = D+(F-1)*P"},
		},
		Covers: []string{"readiness-delay"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		live := c.Liveness
		if live == nil || c.Startup != nil || live.Delay < long {
			continue
		}
		f := live.Finding("initialDelaySeconds",
			"for the first %d s after every start nothing watches: a hang at the start is noticed after %d s at the earliest",
			live.Delay, live.Delay+live.ToleratedStall())
		f.Patch = live.StartupPatch(live.Delay)
		f.Patch.Summary = "a startupProbe that allows the same " + fmt.Sprint(live.Delay) + " s, instead of the delay"
		f.Patch.Edits = append(f.Patch.Edits, advisor.Edit{Path: live.Path + ".initialDelaySeconds", Remove: true})
		f.Scenario = live.HangAtStart(live.Delay + live.CertainStall())
		found = append(found, f)
	}
	return found
}
