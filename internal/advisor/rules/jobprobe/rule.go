// Package jobprobe finds probes of programs that are meant to end.
package jobprobe

import "github.com/probity-run/probity/internal/advisor"

// Rule is job-main-probe.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "job-main-probe",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "A Job's main container has probes.",
			Consequence: advisor.Prose(`
				Nothing routes to a Job, so readiness does nothing. A liveness or startup probe kills the work: with restartPolicy Never the pod has
				failed and counts against backoffLimit, with OnFailure it begins anew.`),
			Remedy: "Leave the probes out; activeDeadlineSeconds bounds the time of a Job that hangs. Sidecars may have probes.",
			Before: `kind: Job
spec:
  template:
    spec:
      containers: [{name: migrate, livenessProbe: {tcpSocket: {port: 8080}}}]`,
			After: `kind: Job
spec:
  activeDeadlineSeconds: 3600
  template:
    spec:
      containers: [{name: migrate}]`,
			KubeletRules: []string{"R118", "R120", "R123"},
		},
		Covers: []string{"liveness-equals-readiness", "liveness-stricter-than-readiness", "shallow-tcp-check", "probe-port-undeclared", "timeout-too-short",
			"initial-delay-substitute", "liveness-kill-too-slow", "probe-cannot-fail", "exit-status-lost", "curl-ignores-errors", "shell-words-lost", "readiness-delay",
			"metrics-as-health", "liveness-aggregate-health"},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	kind := w.Object.Ref().Kind
	if kind != "Job" && kind != "CronJob" {
		return nil
	}
	var found []advisor.Finding
	for _, c := range w.Containers {
		if c.Sidecar || len(c.Probes()) == 0 {
			continue
		}
		p := c.Probes()[len(c.Probes())-1]
		what := "nothing routes to its pods, so it has no effect"
		if p.Field != advisor.ReadinessProbe {
			what = "when it fails the work is killed, and under restartPolicy " + string(w.Spec.RestartPolicy)
			if w.Spec.RestartPolicy == "Never" {
				what += " the pod has failed for good"
			} else {
				what += " it begins anew"
			}
		}
		found = append(found, p.Finding("", "a %s probe on the main container of a %s: %s", p.TypeName(), kind, what))
	}
	return found
}
