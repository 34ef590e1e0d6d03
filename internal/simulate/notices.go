package simulate

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// notices reports whether a probe of a container notices a fault. A connection is all that a
// tcpSocket probe asks for: the kernel makes it for a process that hangs (R79).
func notices(f *script.Fault, c *corev1.Container, t lifecycle.ProbeType, p *corev1.Probe) bool {
	switch {
	case p.TCPSocket != nil && !f.Effect().Refuses:
		return false
	case f.Path != "" && (p.HTTPGet == nil || path(p.HTTPGet.Path) != f.Path):
		return false
	case f.Probes != nil:
		return slices.Contains(f.Probes, t)
	case f.OfDependency() && f.Path == "":
		return t == lifecycle.Readiness || c.ReadinessProbe != nil && sameQuestion(c.ReadinessProbe, p)
	default:
		return true
	}
}

// sameQuestion reports whether two probes ask the program the same.
func sameQuestion(a, b *corev1.Probe) bool {
	switch {
	case a.HTTPGet != nil && b.HTTPGet != nil:
		return path(a.HTTPGet.Path) == path(b.HTTPGet.Path) && a.HTTPGet.Port == b.HTTPGet.Port && a.HTTPGet.Host == b.HTTPGet.Host
	case a.Exec != nil && b.Exec != nil:
		return slices.Equal(a.Exec.Command, b.Exec.Command)
	case a.GRPC != nil && b.GRPC != nil:
		return a.GRPC.Port == b.GRPC.Port && valueOr(a.GRPC.Service, "") == valueOr(b.GRPC.Service, "")
	default:
		return false
	}
}
