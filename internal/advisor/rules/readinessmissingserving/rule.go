// Package readinessmissingserving finds pods in which the wrong container has the readinessProbe.
package readinessmissingserving

import (
	"fmt"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is readiness-missing-on-serving-container.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "readiness-missing-on-serving-container",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "Another container of the pod has a readinessProbe, but the one behind the Service's port has none.",
			Consequence: advisor.Prose(`
				The pod is ready when its helper is. The container that answers the requests counts as ready from its start, so traffic reaches it before
				it listens and after it hangs.`),
			Remedy: "Give the container behind the Service's port a readinessProbe of its own.",
			Before: `containers:
- name: app
  ports: [{name: http, containerPort: 8080}]
- name: proxy
  readinessProbe: {httpGet: {path: /ready, port: admin}}`,
			After: `containers:
- name: app
  ports: [{name: http, containerPort: 8080}]
  readinessProbe: {httpGet: {path: /readyz, port: http}}
- name: proxy
  readinessProbe: {httpGet: {path: /ready, port: admin}}`,
			KubeletRules: []string{"R98", "R99", "R105"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var have []string
	probed := map[int32]bool{}
	for _, p := range w.Probes() {
		if p.Field != advisor.ReadinessProbe {
			continue
		}
		have = append(have, p.Container.Name)
		if number, ok := p.PortNumber(); ok {
			probed[number] = true
		}
	}
	if len(have) == 0 {
		return nil
	}
	var found []advisor.Finding
	seen := map[*advisor.Container]bool{}
	for _, b := range w.Backends {
		// Containers share an address, so that a neighbour's probe may well ask this port.
		if b.Container.Readiness != nil || seen[b.Container] || probed[b.Number] {
			continue
		}
		seen[b.Container] = true
		found = append(found, b.Container.Finding("name",
			"Service %s sends requests to %s, but only %s has a readinessProbe: the pod is ready before this container listens, and stays "+
				"so when it hangs",
			b.Service.Name(), port(b), strings.Join(have, ", ")))
	}
	return found
}

func port(b advisor.Backend) string {
	if b.Name == "" {
		return fmt.Sprintf("port %d", b.Number)
	}
	return fmt.Sprintf("port %s (%d)", b.Name, b.Number)
}
