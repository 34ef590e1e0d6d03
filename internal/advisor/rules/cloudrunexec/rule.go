// Package cloudrunexec finds probes of Cloud Run that run a command.
package cloudrunexec

import (
	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/formats/knative"
)

// Rule is cloud-run-exec.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "cloud-run-exec",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title: "A probe of a Cloud Run service runs a command.",
			Consequence: advisor.Prose(`
				Cloud Run asks by httpGet, tcpSocket and grpc. A revision whose probe has exec is refused when it is deployed.`),
			Remedy:       "Let the program answer what the command finds out, and ask it by httpGet.",
			Before:       "livenessProbe: {exec: {command: [./healthy]}}",
			After:        "livenessProbe: {httpGet: {path: /livez}}",
			KubeletRules: []string{"R49"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	if w.Object.Original("").Format != knative.CloudRunName {
		return nil
	}
	var found []advisor.Finding
	for _, p := range w.Probes() {
		if p.Handler() == "exec" {
			found = append(found, p.Finding("exec", "the %s probe runs a command, and Cloud Run asks by httpGet, tcpSocket or grpc only", p.TypeName()))
		}
	}
	return found
}
