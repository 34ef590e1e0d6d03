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
				rolls back.`),
			Remedy: "The deadline must hold the longest start that is allowed, minReadySeconds, and the time to schedule and pull.",
			Before: `progressDeadlineSeconds: 60
# in the container: startupProbe {periodSeconds: 3, failureThreshold: 40}, 120 s`,
			After:        "progressDeadlineSeconds: 180",
			KubeletRules: []string{"R205", "R211", "R213"},
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
	for _, c := range w.Containers {
		switch {
		case c.Startup != nil && c.Startup.StartFatal() > start:
			start, what = c.Startup.StartFatal(), "the startupProbe of "+c.Name+" allows a start of"
		case c.Startup == nil && c.Readiness != nil && c.Readiness.Delay > start:
			start, what = c.Readiness.Delay, "readiness of "+c.Name+" is not even asked before"
		}
	}
	if total := start + int(d.Spec.MinReadySeconds); start == 0 || deadline >= total {
		return nil
	}
	f := w.Finding("spec.progressDeadlineSeconds",
		"after %d s without progress the rollout counts as failed, but %s %d s: a slow start that goes well is reported as a failure",
		deadline, what, start)
	enough := fmt.Sprint(start + int(d.Spec.MinReadySeconds) + deadline)
	f.Patch = &advisor.Patch{Summary: "progressDeadlineSeconds: " + enough, Edits: []advisor.Edit{{Path: "spec.progressDeadlineSeconds", Value: enough}}}
	f.Scenario = advisor.SlowStart((deadline + start + 1) / 2)
	return []advisor.Finding{f}
}
