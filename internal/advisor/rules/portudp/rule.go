// Package portudp finds probes that connect by TCP to a port for UDP.
package portudp

import (
	"k8s.io/apimachinery/pkg/util/intstr"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is probe-port-not-tcp.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "probe-port-not-tcp",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "A probe connects to a port that is declared for UDP or SCTP only.",
			Consequence: advisor.Prose(`
				httpGet, tcpSocket and grpc all connect by TCP; a name finds the port whatever its protocol. If nothing listens there by TCP, readiness
				never comes, or liveness kills again and again.`),
			Remedy: "Ask a port that speaks TCP, or declare that this one does, too.",
			Before: `ports: [{name: syslog, containerPort: 514, protocol: UDP}]
readinessProbe: {tcpSocket: {port: syslog}}`,
			After: `ports: [{name: syslog, containerPort: 514, protocol: UDP}, {name: status, containerPort: 8080}]
readinessProbe: {tcpSocket: {port: status}}`,
			KubeletRules: []string{"R76", "R78"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for _, c := range w.Containers {
		seen := map[int32]bool{}
		for _, p := range c.Probes() {
			number, ok := p.PortNumber()
			protocol := onlyProtocol(w, c, number)
			if !ok || seen[number] || protocol == corev1.ProtocolTCP {
				continue
			}
			seen[number] = true // one port, one finding
			name := ""
			if port, _ := p.Port(); port.Type == intstr.String {
				name = " (" + port.StrVal + ")"
			}
			found = append(found, p.Finding(p.Handler()+".port",
				"the %s probe connects by TCP to port %d%s, which is declared for %s only", p.TypeName(), number, name, protocol))
		}
	}
	return found
}

// onlyProtocol is the protocol for which the container declares the port if that is not TCP, and
// otherwise TCP: what is not declared is another matter.
func onlyProtocol(w *advisor.Workload, c *advisor.Container, number int32) corev1.Protocol {
	for _, other := range w.Containers {
		if _, ok := other.PortNumbered(number); ok {
			return corev1.ProtocolTCP
		}
	}
	for _, p := range c.Ports {
		if p.ContainerPort == number {
			return p.Protocol
		}
	}
	return corev1.ProtocolTCP
}
