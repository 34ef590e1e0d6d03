// Package targetport finds Services with a target port that no container has.
package targetport

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is service-target-port-missing.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "service-target-port-missing",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title:       "A Service names a target port that none of its pods has.",
			Consequence: "The pods are ready and listed, but without that port: every connection to it is refused.",
			Remedy:      "targetPort is looked up among the names of the containers' ports.",
			Before: `kind: Service
spec: {ports: [{port: 80, targetPort: web}]}
---
# in the pod
ports: [{name: http, containerPort: 8080}]`,
			After: `kind: Service
spec: {ports: [{port: 80, targetPort: http}]}
---
# in the pod
ports: [{name: http, containerPort: 8080}]`,
			KubeletRules: []string{"R200", "R203"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, s := range w.Services {
		for i, port := range s.Spec.Ports {
			name := port.TargetPort.StrVal
			if port.TargetPort.Type != intstr.String || len(validation.IsValidPortName(name)) > 0 || anyHas(s, name) {
				continue
			}
			f := s.Finding(i,
				"no container of %s has a port called %s%s: every connection to port %d is refused", w.Object.Ref(), name, have(w), port.Port)
			// the files may be pieces that something else puts together
			if s.Object.Position.File != w.Object.Position.File {
				f.Severity = advisor.Waste
			}
			found = append(found, f)
		}
	}
	return found
}

// anyHas reports whether one of the workloads that the Service selects has the port. One is enough:
// selectors often select another workload as well.
func anyHas(s *advisor.Service, name string) bool {
	for _, w := range s.Workloads {
		for _, c := range w.Containers {
			if _, ok := c.PortNamed(name); ok {
				return true
			}
		}
	}
	return false
}

func have(w *advisor.Workload) string {
	var names []string
	for _, c := range w.Containers {
		for _, p := range c.Ports {
			if p.Name != "" {
				names = append(names, p.Name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " (there is " + strings.Join(names, ", ") + ")"
}
