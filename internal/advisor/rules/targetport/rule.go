// Package targetport finds Services with a target port that no container has.
package targetport

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
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
			Title: "A Service names a target port that none of its pods has.",
			Consequence: advisor.Prose(`
				The pods are ready and listed, but without that port: every connection to it is refused. Clients of a headless Service connect to the pods
				themselves, so there only the DNS records of the port are missing.`),
			Remedy: "targetPort is looked up among the names of the containers' ports, by name and protocol.",
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
			if port.TargetPort.Type != intstr.String || len(validation.IsValidPortName(name)) > 0 || anyHas(s, port) || isProbed(w, name) {
				continue
			}
			found = append(found, finding(w, s, i))
		}
	}
	return found
}

func finding(w *advisor.Workload, s *advisor.Service, i int) advisor.Finding {
	port := s.Spec.Ports[i]
	name, consequence, severity := port.TargetPort.StrVal, fmt.Sprintf("every connection to port %d is refused", port.Port), advisor.Outage
	switch {
	case s.IsHeadless(): // its clients take the addresses, and ports that they know
		consequence, severity = "the DNS records of the Pods (SRV) and the EndpointSlice lack that port", advisor.Style
	case s.Object.Position.File != w.Object.Position.File:
		severity = advisor.Waste // the files may be pieces that something else puts together
	}
	called := "called " + name
	if port.Protocol != "" && port.Protocol != corev1.ProtocolTCP {
		called = fmt.Sprintf("for %s called %s", port.Protocol, name)
	}
	f := s.Finding(i, "no container of %s has a port %s%s: %s", w.Object.Ref(), called, have(w), consequence)
	f.Severity = severity
	return f
}

// anyHas reports whether one of the workloads that the Service selects has the port (R203). One is
// enough: selectors often select another workload as well. A piece of a manifest may get it from
// another piece.
func anyHas(s *advisor.Service, port corev1.ServicePort) bool {
	for _, w := range s.Workloads {
		if w.IsFragment() {
			return true
		}
		for _, c := range w.Containers {
			if slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
				return p.Name == port.TargetPort.StrVal && p.Protocol == port.Protocol
			}) {
				return true
			}
		}
	}
	return false
}

// isProbed reports whether a probe names the port that is missing, too: then another rule has said
// that it is not there, or not for TCP.
func isProbed(w *advisor.Workload, name string) bool {
	return slices.ContainsFunc(w.Probes(), func(p *advisor.Probe) bool {
		port, ok := p.Port()
		if !ok || port.Type != intstr.String || port.StrVal != name {
			return false
		}
		declared, has := p.Container.PortNamed(name)
		return !has || declared.Protocol != corev1.ProtocolTCP
	})
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
