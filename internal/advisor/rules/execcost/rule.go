// Package execcost finds exec probes that start a runtime again and again.
package execcost

import (
	"fmt"

	"github.com/probity-run/probity/internal/advisor"
)

// A command that starts a runtime counts as costly if it comes at least this often, in seconds,
// inside at most that much CPU, in thousandths.
const (
	often    = 10
	smallCPU = 500
)

// Rule is exec-probe-costly.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "exec-probe-costly",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "An exec probe starts a whole runtime every few seconds, inside a small CPU limit.",
			Consequence: advisor.Prose(`
				The probe runs inside the container's own limit: it takes the CPU from the service, is throttled itself, and times out when there is the
				least to spare.`),
			Remedy: "Ask a listener (httpGet, grpc), or look at a file that the program touches; a small static binary will do where a command must be.",
			Before: `readinessProbe:
  exec: {command: [sh, -c, 'java -cp /srv/probe.jar Probe']}
  periodSeconds: 5`,
			After: `readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5`,
			KubeletRules: []string{"R83", "R86"},
			SeeAlso:      []string{"https://github.com/kubernetes/kubernetes/issues/82440"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, p := range w.Probes() {
		if p.Exec == nil || p.Field == advisor.StartupProbe || p.Period > often {
			continue
		}
		runtime, limit := advisor.HeavyRuntime(p.Exec.Command), p.Container.CPULimit()
		if runtime == "" || limit == 0 || limit > smallCPU {
			continue
		}
		found = append(found, p.Finding("exec.command",
			"the %s probe starts %s every %d s inside a limit of %s of a CPU: it takes that from the service, and is throttled when it "+
				"matters",
			p.TypeName(), runtime, p.Period, fmt.Sprintf("%.3g", float64(limit)/1000)))
	}
	return found
}
