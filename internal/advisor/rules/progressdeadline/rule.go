// Package progressdeadline finds rollouts that are reported as failed although they still progress.
package progressdeadline

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is progress-deadline-below-startup.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "progress-deadline-below-startup",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "progressDeadlineSeconds is shorter than the start that the probes allow.",
			Consequence: advisor.Prose(`
				A rollout whose pods start slowly but well is reported as failed (ProgressDeadlineExceeded), and a pipeline that waits for it gives up or
				rolls back. A deadline that is not above minReadySeconds is refused by the API server.`),
			Remedy: "The deadline must hold the longest start that is allowed, minReadySeconds, and the time to schedule and pull.",
			Before: `progressDeadlineSeconds: 60
# in the container: startupProbe {periodSeconds: 3, failureThreshold: 40}, 120 s`,
			After:        "progressDeadlineSeconds: 180",
			KubeletRules: []string{"R205", "R207", "R211", "R213"},
			SeeAlso:      []string{"W_kill = D+F*P"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	d, ok := w.Object.Resource.(*appsv1.Deployment)
	if !ok {
		return nil
	}
	deadline, start, what := int(*d.Spec.ProgressDeadlineSeconds), 0, ""
	var slow *advisor.Container
	for _, c := range w.Containers {
		switch {
		case c.Startup != nil && c.Startup.StartFatal() > start:
			slow, start, what = c, c.Startup.StartFatal(), "the startupProbe of "+c.Name+" allows a start of"
		case c.Startup == nil && c.Readiness != nil && c.Readiness.Delay > start:
			slow, start, what = c, c.Readiness.Delay, "readiness of "+c.Name+" is not even asked before"
		}
	}
	minReady := int(d.Spec.MinReadySeconds)
	const field = "spec.progressDeadlineSeconds"
	var f advisor.Finding
	switch {
	case deadline <= minReady: // R207
		f = w.Finding(field,
			"a Pod counts as available after minReadySeconds, %d s, but the rollout as failed after %d s already: the API server refuses that",
			minReady, deadline)
		f.Severity = advisor.Outage
	case start == 0 || deadline >= start+minReady:
		return nil
	default:
		f = w.Finding(field,
			"after %d s without progress the rollout counts as failed, but %s %d s: a slow start that goes well is reported as a failure",
			deadline, what, start)
		f.Scenario = slow.SlowStart((deadline + start + 1) / 2)
	}
	enough := fmt.Sprint(start + minReady + deadline)
	f.Patch = &advisor.Patch{Summary: "progressDeadlineSeconds: " + enough, Edits: []advisor.Edit{{Path: field, Value: enough}}}
	return []advisor.Finding{f}
}
