// Package livenessdependency finds liveness probes that ask another machine.
package livenessdependency

import (
	"fmt"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is liveness-checks-dependency.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "liveness-checks-dependency",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "The liveness command asks another host.",
			Consequence: advisor.Prose(`
				When that host is down, every replica is killed at about the same time, again and again, and comes back with cold caches and with its
				back-off running. A restart here mends nothing there.`),
			Remedy: advisor.Prose(`
				Let liveness ask only what a restart of this container can mend: its own listener, or the age of a file that it touches. Dependencies
				belong into metrics, and at most into readiness.`),
			Before: `livenessProbe:
  exec: {command: [pg_isready, -h, postgres.shop.svc]}`,
			After: `livenessProbe:
  httpGet: {path: /livez, port: http}`,
			KubeletRules: []string{"R118", "R151"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		if c.Liveness == nil || c.Liveness.Exec == nil {
			continue
		}
		host, program := c.RemoteHost(c.Liveness.Exec.Command)
		if host == "" {
			continue
		}
		who := "this container"
		if w.Replicas > 1 {
			who = fmt.Sprintf("all %d replicas", w.Replicas)
		}
		f := c.Liveness.Finding(advisor.CommandField(c.Liveness.Exec.Command, host),
			"%s asks %s, another host: when that is away for more than %d s, %s will be restarted, and a restart here does not bring it "+
				"back",
			program, host, c.Liveness.CertainStall(), who)
		f.Scenario = c.Liveness.Outage(2 * c.Liveness.CertainStall())
		found = append(found, f)
	}
	return found
}
