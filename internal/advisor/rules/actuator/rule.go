// Package actuator finds liveness probes of a Spring application that ask for the health of
// everything.
package actuator

import (
	"strings"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is liveness-aggregate-health.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "liveness-aggregate-health",
		Severity: advisor.Style,
		Doc: advisor.Doc{
			Title: "Liveness asks /actuator/health, which by default looks at databases, too.",
			Consequence: advisor.Prose(`
				Spring Boot's health is the worst of all its indicators: the database, the message broker, the disk. When one of them is away the whole
				fleet is restarted, which does not bring it back. Whether that is so here, the manifest does not tell.`),
			Remedy:       "Ask /actuator/health/liveness, and /actuator/health/readiness for readiness; Spring Boot has both on Kubernetes.",
			Before:       "livenessProbe: {httpGet: {path: /actuator/health, port: http}}",
			After:        "livenessProbe: {httpGet: {path: /actuator/health/liveness, port: http}}",
			KubeletRules: []string{"R118"},
			SeeAlso:      []string{"https://docs.spring.io/spring-boot/reference/actuator/endpoints.html"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		p := c.Liveness
		if p == nil || p.Handler() != "httpGet" {
			continue
		}
		path, _, _ := strings.Cut(p.HTTPGet.Path, "?")
		if strings.HasSuffix("/"+strings.Trim(path, "/"), "/actuator/health") {
			found = append(found, p.Finding("httpGet.path",
				"%s is the worst of all that the application depends on, unless it is configured otherwise: /actuator/health/liveness is about the process alone",
				p.HTTPGet.Path))
		}
	}
	return found
}
