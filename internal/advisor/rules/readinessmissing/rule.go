// Package readinessmissing finds Services whose pods have no readiness probe.
package readinessmissing

import (
	"strings"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is readiness-missing.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "readiness-missing",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "A Service selects the pod, but no container has a readinessProbe.",
			Consequence: advisor.Prose(`
				A container without a readinessProbe is ready as soon as it runs. Every rollout, restart and scale-up sends requests to a program that
				does not listen yet, and a replica that hangs keeps its share of the traffic.`),
			Remedy: advisor.Prose(`
				Give the container behind the Service's port a readinessProbe that asks the very listener that serves requests. Nothing in the manifest
				says which request that is, so there is no patch.`),
			Before: `containers:
- name: web
  ports: [{name: http, containerPort: 8080}]`,
			After: `containers:
- name: web
  ports: [{name: http, containerPort: 8080}]
  readinessProbe:
    httpGet: {path: /readyz, port: http}`,
			KubeletRules: []string{"R98", "R99", "R194"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	services := w.Traffic()
	if len(services) == 0 || len(w.Containers) == 0 {
		return nil
	}
	for _, p := range w.Probes() {
		if p.Field == advisor.ReadinessProbe {
			return nil
		}
	}
	var names []string
	headless := true
	for _, s := range services {
		names = append(names, s.Name())
		headless = headless && s.IsHeadless()
	}
	c := w.Containers[len(w.Containers)-1]
	if len(w.Backends) > 0 {
		c = w.Backends[0].Container
	}
	from := "as soon as its process runs"
	if c.Startup != nil {
		from = "at its first startup success"
	}
	also := ""
	if len(w.Budgets) > 0 {
		also = "; PodDisruptionBudget " + w.Budgets[0].Name() + " counts such a pod as healthy, too"
	}
	f := c.Finding("name",
		"Service %s sends requests here, but no container of the pod has a readinessProbe: it counts as ready %s, and stays so when it "+
			"hangs%s",
		strings.Join(names, ", "), from, also)
	if headless { // its clients are peers and scrapers more often than not
		f.Severity = advisor.Waste
	}
	return []advisor.Finding{f}
}
