// Package scheme finds probes that speak the wrong protocol.
package scheme

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is scheme-mismatch.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "scheme-mismatch",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "A probe speaks plain HTTP to a port named https, or TLS to one named http.",
			Consequence: advisor.Prose(`
				A TLS server answers plain HTTP with 400 or not at all, and the other way round the handshake fails: readiness never comes, liveness kills
				for ever.`),
			Remedy: "scheme: HTTPS. Certificates are not verified.",
			Before: `ports: [{name: https, containerPort: 8443}]
readinessProbe: {httpGet: {path: /readyz, port: https}}`,
			After: `ports: [{name: https, containerPort: 8443}]
readinessProbe: {httpGet: {path: /readyz, port: https, scheme: HTTPS}}`,
			KubeletRules: []string{"R73", "R74", "R178"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		seen := map[string]bool{}
		for _, p := range c.Probes() {
			if p.Handler() != "httpGet" || p.Host() != "" {
				continue
			}
			name := portName(p)
			want := schemeOf(name)
			have := p.HTTPGet.Scheme
			if want == "" || want == have || seen[name] || have != corev1.URISchemeHTTP && have != corev1.URISchemeHTTPS {
				continue
			}
			seen[name] = true
			f := p.Finding("httpGet.port", "the %s probe speaks %s to port %s, which by its name speaks %s: it can only fail", p.TypeName(), have, name, want)
			f.Patch = &advisor.Patch{Summary: string(p.Field) + ".httpGet.scheme: " + string(want), Edits: []advisor.Edit{{Path: p.Path + ".httpGet.scheme", Value: string(want)}}}
			found = append(found, f)
		}
	}
	return found
}

// portName is the name of the declared port that is probed, by name or by number.
func portName(p *advisor.Probe) string {
	number, ok := p.PortNumber()
	if !ok {
		return ""
	}
	port, _ := p.Container.PortNumbered(number)
	if field, _ := p.Port(); field.StrVal != "" {
		return field.StrVal
	}
	return port.Name
}

// schemeOf is the scheme that a port's name means, or "". Names such as http2, http-alt or webhook
// are used for both.
func schemeOf(name string) corev1.URIScheme {
	switch {
	case name == "https", strings.HasPrefix(name, "https-"), strings.HasSuffix(name, "-https"):
		return corev1.URISchemeHTTPS
	case name == "http":
		return corev1.URISchemeHTTP
	}
	return ""
}
