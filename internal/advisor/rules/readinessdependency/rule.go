// Package readinessdependency finds readiness probes that ask what all replicas share.
package readinessdependency

import "github.com/probity-run/probity/internal/advisor"

// Rule is readiness-checks-shared-dependency.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "readiness-checks-shared-dependency",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "The readiness command asks a host that all replicas share.",
			Consequence: advisor.Prose(`
				When that host is down, all replicas leave the Service at once: instead of a degraded answer or a clear error its clients get refused
				connections, and the outage spreads upwards.`),
			Remedy: "Ask the own listener, and answer without the dependency as well as one can. A dependency of one replica alone is fine.",
			Before: `readinessProbe:
  exec: {command: [curl, -fsS, 'http://payments.shop.svc/healthz']}`,
			After: `readinessProbe:
  httpGet: {path: /readyz, port: http}`,
			KubeletRules: []string{"R198", "R200"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		if c.Readiness == nil || c.Readiness.Exec == nil {
			continue
		}
		host, program := c.RemoteHost(c.Readiness.Exec.Command)
		if host == "" {
			continue
		}
		severity, what := advisor.Waste, "the pod is not ready, however well it works"
		if traffic := w.Traffic(); len(traffic) > 0 {
			severity, what = advisor.Risk, "Service "+traffic[0].Name()+" has no endpoint left"
		}
		f := c.Readiness.Finding(advisor.CommandField(c.Readiness.Exec.Command, host),
			"%s asks %s, which all replicas share: when that is away for more than %d s, %s", program, host, c.Readiness.CertainStall(), what)
		f.Severity = severity
		f.Scenario = c.Readiness.Outage(2 * c.Readiness.CertainStall())
		found = append(found, f)
	}
	return found
}
