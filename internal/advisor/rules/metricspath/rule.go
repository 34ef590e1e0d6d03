// Package metricspath finds probes that ask for metrics.
package metricspath

import (
	"strings"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is metrics-as-health.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "metrics-as-health",
		Severity: advisor.Style,
		Doc: advisor.Doc{
			Title: "A probe asks for /metrics.",
			Consequence: advisor.Prose(`
				That page is there for Prometheus: it answers 200 whatever the numbers say, so the probe learns no more than from a connection, and
				making it may cost more than a request does.`),
			Remedy:       "Ask a path that is about health.",
			Before:       "readinessProbe: {httpGet: {path: /metrics, port: http}}",
			After:        "readinessProbe: {httpGet: {path: /readyz, port: http}}",
			KubeletRules: []string{"R61", "R62"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		if c.IsExporter() {
			continue // it has nothing else to show
		}
		for _, p := range c.Probes() {
			if p.Handler() != "httpGet" {
				continue
			}
			path, _, _ := strings.Cut(p.HTTPGet.Path, "?")
			if path = "/" + strings.Trim(path, "/"); path == "/metrics" || strings.HasSuffix(path, "/prometheus") {
				// one habit, one finding
				found = append(found, p.Finding("httpGet.path", "%s answers 200 whatever its numbers say: the %s probe learns no more than from a connection",
					p.HTTPGet.Path, p.TypeName()))
				break
			}
		}
	}
	return found
}
