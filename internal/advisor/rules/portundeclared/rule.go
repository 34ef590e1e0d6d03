// Package portundeclared finds probes of ports that no container of the pod declares.
package portundeclared

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is probe-port-undeclared.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "probe-port-undeclared",
		Severity: advisor.Style,
		Doc: advisor.Doc{
			Title: "A probe asks a port that no container of the pod declares, while others are declared.",
			Consequence: advisor.Prose(`
				Most often the program does listen there, and a declared port would have said so: declarations are how people, Services and tools know.
				If the number is a mistake, readiness never comes, or liveness kills for ever. A port that the command, its arguments, a variable or a
				Service name is none.`),
			Remedy: "Declare the port, or correct the number; a port with a name can be probed by its name.",
			Before: `ports: [{name: http, containerPort: 8080}]
readinessProbe: {httpGet: {path: /readyz, port: 8081}}`,
			After: `ports: [{name: http, containerPort: 8080}]
readinessProbe: {httpGet: {path: /readyz, port: http}}`,
			KubeletRules: []string{"R52", "R76", "R93"},
		},
		Covers: []string{"readiness-port-not-served"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	if w.Spec.HostNetwork {
		// there, declaring a port reserves it on the node, so many leave it out on purpose
		return nil
	}
	var found []advisor.Finding
	for _, c := range w.Containers {
		seen := map[int32]bool{}
		for _, p := range c.Probes() {
			port, ok := p.Port()
			if !ok || port.Type != intstr.Int || p.Host() != "" || len(c.Ports) == 0 || seen[port.IntVal] || w.MentionsPort(port.IntVal) {
				continue
			}
			seen[port.IntVal] = true // one wrong number, one finding
			found = append(found, p.Finding(p.Handler()+".port",
				"the %s probe asks port %d, which no container declares (declared: %s)", p.TypeName(), port.IntVal, list(c)))
		}
	}
	return found
}

func list(c *advisor.Container) string {
	var ports []string
	for _, p := range c.Ports {
		text := fmt.Sprint(p.ContainerPort)
		if p.Name != "" {
			text = p.Name + " " + text
		}
		ports = append(ports, text)
	}
	return strings.Join(ports, ", ")
}
