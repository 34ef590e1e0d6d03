// Package othercontainer finds liveness probes that kill the wrong container.
package othercontainer

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is liveness-port-of-other-container.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "liveness-port-of-other-container",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "A liveness or startup probe asks a port that another container of the pod owns.",
			Consequence: advisor.Prose(`
				The containers of a pod share an address, so the probe works; but when that other container hangs, this one is killed, again and again,
				and the one that hangs goes on.`),
			Remedy: "Move the probe to the container that owns the port.",
			Before: `containers:
- name: app
  ports: [{containerPort: 8080}]
- name: proxy
  ports: [{containerPort: 9901}]
  livenessProbe: {httpGet: {path: /livez, port: 8080}}`,
			After: `containers:
- name: app
  ports: [{containerPort: 8080}]
  livenessProbe: {httpGet: {path: /livez, port: 8080}}
- name: proxy
  ports: [{containerPort: 9901}]`,
			KubeletRules: []string{"R52", "R118", "R122"},
		},
		Check: check,
	}
}

// isHelper recognizes the sidecars whose purpose is to answer for another container.
func isHelper(c *advisor.Container) bool {
	return strings.Contains(c.Name, "health") || strings.Contains(c.Name, "liveness") || strings.Contains(c.Name, "probe")
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		seen := map[int32]bool{}
		for _, p := range c.Probes() {
			port, ok := p.Port()
			if !ok || port.Type != intstr.Int || p.Field == advisor.ReadinessProbe || p.Host() != "" || len(c.Ports) == 0 || seen[port.IntVal] {
				continue
			}
			if _, own := c.PortNumbered(port.IntVal); own {
				continue
			}
			for _, other := range w.Containers {
				if _, owns := other.PortNumbered(port.IntVal); owns && !isHelper(other) {
					seen[port.IntVal] = true
					found = append(found, p.Finding(p.Handler()+".port",
						"the %s probe asks port %d, which container %s owns: when %s hangs, %s is killed and %s goes on hanging",
						p.TypeName(), port.IntVal, other.Name, other.Name, c.Name, other.Name))
					break
				}
			}
		}
	}
	return found
}
