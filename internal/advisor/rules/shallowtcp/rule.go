// Package shallowtcp finds readiness probes that only open a TCP connection.
package shallowtcp

import (
	"strings"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is shallow-tcp-check.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "shallow-tcp-check",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "A TCP connect is the only readiness check of an HTTP or gRPC server.",
			Consequence: advisor.Prose(`
				The kernel accepts connections as long as the listen queue has room, even if every worker is stuck or the program has not begun to serve.
				Such a replica keeps its share of the traffic.`),
			Remedy: "Ask for an answer: httpGet, or grpc.",
			Before: `ports: [{name: http, containerPort: 8080}]
readinessProbe: {tcpSocket: {port: http}}`,
			After: `ports: [{name: http, containerPort: 8080}]
readinessProbe: {httpGet: {path: /readyz, port: http}}`,
			KubeletRules: []string{"R78", "R79"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		p := c.Readiness
		if p == nil || p.Handler() != "tcpSocket" {
			continue
		}
		number, ok := p.PortNumber()
		if protocol := protocolOn(c, number); ok && protocol != "" {
			found = append(found, p.Finding("tcpSocket",
				"the only readiness check of this %s server is a TCP connect to port %d: the kernel accepts that even when every worker is "+
					"stuck", protocol, number))
		}
	}
	return found
}

// protocolOn is the protocol on a port of the container, HTTP or gRPC, if the port's name, another
// probe or a Service tells it, or "".
func protocolOn(c *advisor.Container, number int32) string {
	port, _ := c.PortNumbered(number)
	if protocol := protocolOf(port.Name); protocol != "" {
		return protocol
	}
	for _, p := range c.Probes() {
		if n, ok := p.PortNumber(); ok && n == number {
			switch p.Handler() {
			case "httpGet":
				return "HTTP"
			case "grpc":
				return "gRPC"
			}
		}
	}
	for _, b := range c.Backends() {
		if b.Number != number {
			continue
		}
		if b.Port.AppProtocol != nil {
			return protocolOf(*b.Port.AppProtocol)
		}
		if protocol := protocolOf(b.Port.Name); protocol != "" {
			return protocol
		}
	}
	return ""
}

// protocolOf is the protocol that a port's name or an appProtocol means: http, https, http2,
// http-web, kubernetes.io/h2c, grpc.
func protocolOf(name string) string {
	switch first, _, _ := strings.Cut(name, "-"); first {
	case "http", "https", "http2", "kubernetes.io/h2c", "kubernetes.io/ws":
		return "HTTP"
	case "grpc":
		return "gRPC"
	}
	return ""
}
