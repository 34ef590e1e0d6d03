// Package mesh finds probes that a service mesh refuses.
package mesh

import "github.com/probity-run/probity/internal/advisor"

// Rule is mesh-refuses-probe.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "mesh-refuses-probe",
		Severity: advisor.Outage,
		Doc: advisor.Doc{
			Title: "The mesh demands mTLS, and the pod has the rewriting of its probes switched off.",
			Consequence: advisor.Prose(`
				The kubelet has no certificate of the mesh. Where a PeerAuthentication says STRICT the pod's sidecar closes its connection, so readiness
				never comes and liveness kills again and again. To be answered, probes are rewritten to a port of the sidecar, unless the annotation
				sidecar.istio.io/rewriteAppHTTPProbers is "false".`),
			Remedy: "Remove the annotation, or take the probed port out with portLevelMtls or excludeInboundPorts.",
			Before: `# PeerAuthentication: mtls {mode: STRICT}
metadata: {annotations: {sidecar.istio.io/rewriteAppHTTPProbers: "false"}}`,
			After: `# PeerAuthentication: mtls {mode: STRICT}
metadata: {annotations: {sidecar.istio.io/rewriteAppHTTPProbers: "true"}}`,
			KubeletRules: []string{"R52", "R64", "R73"},
			SeeAlso:      []string{"https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	for _, p := range w.Probes() {
		number, ok := p.PortNumber()
		if !ok || p.Handler() == "tcpSocket" { // the sidecar accepts the connection itself
			continue
		}
		if strict := w.StrictMesh(number); strict != nil {
			// one annotation, one finding
			return []advisor.Finding{p.Finding(p.Handler(),
				"PeerAuthentication %s demands mTLS on port %d and the pod has %q off, so the sidecar refuses the kubelet: the %s probe always fails",
				strict.Object.Resource.GetName(), number, "sidecar.istio.io/rewriteAppHTTPProbers", p.TypeName())}
		}
	}
	return nil
}
