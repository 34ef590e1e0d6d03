// Package readinessdelay finds delays of readiness that only keep a pod from serving.
package readinessdelay

import "github.com/probity-run/probity/internal/advisor"

// long is the delay, in seconds, from which it costs more than it can save, and short that below
// which it is not worth a word.
const (
	long  = 120
	short = 5
)

// Rule is readiness-delay.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "readiness-delay",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "readinessProbe.initialDelaySeconds keeps a pod that could serve out of rotation.",
			Consequence: advisor.Prose(`
				A failing readiness probe costs nothing while a program starts, so a delay only makes every start, every restart and every rollout that
				much longer. It counts from the start of the container, beside a startupProbe too, which knows when the program is up.`),
			Remedy: "Leave the delay out; let a startupProbe, or readiness itself, ask often.",
			Before: `startupProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 2, failureThreshold: 60}
readinessProbe: {httpGet: {path: /readyz, port: http}, initialDelaySeconds: 60}`,
			After: `startupProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 2, failureThreshold: 60}
readinessProbe: {httpGet: {path: /readyz, port: http}}`,
			KubeletRules: []string{"R20", "R23", "R99"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		if c.Readiness == nil {
			continue
		}
		delay := c.Readiness.Delay
		f := c.Readiness.Finding("initialDelaySeconds", "readiness is not asked in the first %d s after every start, however early the program is up", delay)
		switch start := c.Startup; {
		case start == nil && delay < long, start != nil && (delay <= start.Delay || delay < short):
			continue
		case start != nil:
			f.Message = "although the startupProbe knows when the program is up, " + f.Message
			if delay <= start.Delay+start.Period {
				f.Severity = advisor.Style // it is over by the first success, or little later
			}
		}
		f.Patch = &advisor.Patch{Summary: "remove readinessProbe.initialDelaySeconds", Edits: c.Readiness.WithoutDelay()}
		found = append(found, f)
	}
	return found
}
