package system

import (
	"net/netip"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
)

// Redirect gives other addresses to connect to than those of the Pods. What Probity does not
// connect itself, such as a program that knows the address of another Pod or the command of an exec
// probe, is redirected by Dependencies alone. Its functions are called from any goroutine and must
// not wait.
type Redirect struct {
	// Requests is asked for each attempt to send a request, or a connection, of a Service to a Pod;
	// the address is host:port. Nil: the address.
	Requests func(pod types.UID, address string) string
	// Probes is asked before each attempt of an HTTP, TCP or gRPC probe. Nil: the address.
	Probes func(pod types.UID, probe lifecycle.ProbeType, address netip.AddrPort) netip.AddrPort
	// Dependencies are what the Pods connect to. It is of a drill, see [System.SetMode].
	Dependencies DependencyOptions
}
