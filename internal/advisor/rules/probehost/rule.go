// Package probehost finds probes that ask another host than the pod.
package probehost

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is probe-host-set.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "probe-host-set",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "A probe's host field points away from the pod.",
			Consequence: advisor.Prose(`
				The kubelet connects to that host, from the node, with the node's name resolution. A Service's name tests any replica, so that one failing
				replica restarts healthy ones; localhost is the node itself.`),
			Remedy:       "Leave host out: the pod's own address is the default. A virtual host goes into httpHeaders, as Host.",
			Before:       "livenessProbe: {httpGet: {path: /livez, port: http, host: web.shop.svc}}",
			After:        "livenessProbe: {httpGet: {path: /livez, port: http}}",
			KubeletRules: []string{"R52", "R56", "R82"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, p := range w.Probes() {
		host := p.Host()
		// that is the node's own, as meant
		if host == "" || w.Spec.HostNetwork && advisor.IsLoopback(host) {
			continue
		}
		field := p.Handler() + ".host"
		f := p.Finding(field,
			"the %s probe asks %s instead of this pod: the kubelet connects to it from the node, so the answer says nothing about this "+
				"replica", p.TypeName(), host)
		if advisor.IsLoopback(host) && onHost(p) {
			f.Message = "the " + p.TypeName() + " probe asks " + host + ", where the node reaches this pod by the hostPort alone: leave host out"
			f.Severity = advisor.Style
		} else if advisor.IsLoopback(host) {
			f.Message = "the " + p.TypeName() + " probe asks " + host + ", which to the kubelet is the node and not this pod: leave host out"
		}
		f.Patch = &advisor.Patch{Summary: "remove " + string(p.Field) + "." + field, Edits: []advisor.Edit{{Path: p.Path + "." + field, Remove: true}}}
		found = append(found, f)
	}
	return found
}

// onHost reports whether the port of the probe is one that the node hands on to the pod.
func onHost(p *advisor.Probe) bool {
	port, _ := p.Port()
	return slices.ContainsFunc(p.Container.Ports, func(declared corev1.ContainerPort) bool {
		return declared.HostPort != 0 && (declared.HostPort == port.IntVal || port.StrVal != "" && declared.Name == port.StrVal && declared.HostPort == declared.ContainerPort)
	})
}
