// Package portnamemissing finds probes of ports by a name that the container does not have.
package portnamemissing

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is probe-named-port-missing.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "probe-named-port-missing",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title: "A probe names a port that its container does not have.",
			Consequence: advisor.Prose(`
				The API server accepts it, and the kubelet cannot evaluate the probe: it errors for ever, which is neither a success nor a failure.
				Readiness never comes, a startupProbe never ends, and liveness never restarts anything.`),
			Remedy: "Names are looked up among the ports of the probe's own container, nowhere else.",
			Before: `ports: [{name: http, containerPort: 8080}]
readinessProbe: {httpGet: {path: /readyz, port: web}}`,
			After: `ports: [{name: http, containerPort: 8080}]
readinessProbe: {httpGet: {path: /readyz, port: http}}`,
			KubeletRules: []string{"R47", "R48", "R76", "R77"},
		},
		Covers: []string{"readiness-port-not-served"},
		Check:  check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		seen := map[string]bool{}
		for _, p := range c.Probes() {
			port, ok := p.Port()
			if !ok || port.Type != intstr.String || seen[port.StrVal] || len(validation.IsValidPortName(port.StrVal)) > 0 {
				continue
			}
			if _, ok := c.PortNamed(port.StrVal); ok {
				continue
			}
			seen[port.StrVal] = true
			found = append(found, finding(p, port.StrVal))
		}
	}
	return found
}

func finding(p *advisor.Probe, name string) advisor.Finding {
	f := p.Finding(p.Handler()+".port", "no port of the container is called %s (%s): %s", name, names(p.Container, name), consequence(p))
	if ports := p.Container.Ports; len(ports) == 1 {
		value := ports[0].Name
		if value == "" {
			value = fmt.Sprint(ports[0].ContainerPort)
		}
		f.Patch = &advisor.Patch{Summary: p.Handler() + ".port: " + value, Edits: []advisor.Edit{{Path: p.PortPath(), Value: value}}}
	}
	if p.Field == advisor.LivenessProbe {
		f.Severity = advisor.Risk
	}
	return f
}

func consequence(p *advisor.Probe) string {
	switch p.Field {
	case advisor.StartupProbe:
		return "the startup probe errors for ever, so the container never counts as started and is never ready"
	case advisor.ReadinessProbe:
		return "the readiness probe errors for ever, so the pod never becomes ready"
	}
	return "the liveness probe errors for ever, so nothing restarts the container when it hangs"
}

func names(c *advisor.Container, name string) string {
	for _, other := range c.Workload.Containers {
		if _, ok := other.PortNamed(name); ok {
			return "container " + other.Name + " has one, but names are looked up in the probe's own container"
		}
	}
	var list []string
	for _, p := range c.Ports {
		if p.Name != "" {
			list = append(list, p.Name)
		}
	}
	if len(list) == 0 {
		return "it has no named port"
	}
	return "it has " + strings.Join(list, ", ")
}
