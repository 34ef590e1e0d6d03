// Package portnamemissing finds probes of ports by a name that the container does not have.
package portnamemissing

import (
	"fmt"
	"slices"
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
	f.Patch = patch(p, name)
	if p.Field == advisor.LivenessProbe {
		f.Severity = advisor.Risk
	}
	return f
}

// patch corrects the name where it is wrong: in the probe, or in the container's only port if
// several fields agree on the name and none uses the port's own.
func patch(p *advisor.Probe, name string) *advisor.Patch {
	ports := p.Container.Ports
	if len(ports) != 1 {
		return nil
	}
	users := usersOf(p.Container, name)
	if len(users)+targets(p.Container, name) > 1 && len(usersOf(p.Container, ports[0].Name))+targets(p.Container, ports[0].Name) == 0 {
		return &advisor.Patch{Summary: "ports[0].name: " + name, Edits: []advisor.Edit{{Path: p.Container.Path + ".ports[0].name", Value: name}}}
	}
	value := ports[0].Name
	if value == "" {
		value = fmt.Sprint(ports[0].ContainerPort)
	}
	patch := &advisor.Patch{Summary: p.Handler() + ".port: " + value}
	for _, user := range users {
		patch.Edits = append(patch.Edits, advisor.Edit{Path: user.PortPath(), Value: value})
	}
	return patch
}

// usersOf are the container's probes that ask the port of that name.
func usersOf(c *advisor.Container, name string) []*advisor.Probe {
	return slices.DeleteFunc(c.Probes(), func(p *advisor.Probe) bool {
		port, ok := p.Port()
		return !ok || port.Type != intstr.String || port.StrVal != name
	})
}

// targets counts the Services' ports that lead to the port of that name.
func targets(c *advisor.Container, name string) int {
	n := 0
	for _, s := range c.Workload.Services {
		for _, port := range s.Spec.Ports {
			if port.TargetPort.Type == intstr.String && port.TargetPort.StrVal == name {
				n++
			}
		}
	}
	return n
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
