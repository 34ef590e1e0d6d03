// Package readinessport finds readiness probes that ask another port than the one with the traffic.
package readinessport

import (
	"fmt"
	"slices"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is readiness-port-not-served.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "readiness-port-not-served",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "Readiness asks another port than the one that gets the traffic.",
			Consequence: advisor.Prose(`
				An admin listener answers from its own threads. It says yes while the one that serves requests does not listen yet, is out of workers, or
				is gone.`),
			Remedy: "Probe the port behind the Service. Many frameworks can serve their health path there too.",
			Before: `ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 9090}]
readinessProbe: {httpGet: {path: /ready, port: admin}}   # the Service targets http`,
			After: `ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 9090}]
readinessProbe: {httpGet: {path: /ready, port: http}}`,
			KubeletRules: []string{"R98", "R203"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	probed := map[int32]bool{}
	for _, p := range w.Probes() {
		if number, ok := p.PortNumber(); ok && p.Field == advisor.ReadinessProbe {
			probed[number] = true
		}
	}
	var found []advisor.Finding
	for _, c := range w.Containers {
		if c.Readiness == nil {
			continue
		}
		number, ok := c.Readiness.PortNumber()
		if _, declared := c.PortNumbered(number); !declared && len(c.Ports) > 0 && !w.Spec.HostNetwork {
			continue // whether that is another listener, nothing tells
		}
		serves := slices.DeleteFunc(c.Backends(), func(b advisor.Backend) bool { return !isDeclared(b) })
		if !ok || len(serves) == 0 || anyServed(serves, probed) {
			continue
		}
		b := serves[0]
		found = append(found, c.Readiness.Finding(c.Readiness.Handler()+".port",
			"readiness asks port %d while Service %s sends its traffic to %s, which no readinessProbe asks", number, b.Service.Name(), port(b)))
	}
	return found
}

func isDeclared(b advisor.Backend) bool {
	_, ok := b.Container.PortNumbered(b.Number)
	return ok
}

func anyServed(serves []advisor.Backend, probed map[int32]bool) bool {
	for _, b := range serves {
		if probed[b.Number] {
			return true
		}
	}
	return false
}

func port(b advisor.Backend) string {
	if b.Name == "" {
		return fmt.Sprint(b.Number)
	}
	return fmt.Sprintf("%s (%d)", b.Name, b.Number)
}
