package engine

import (
	"time"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/healthcall"
)

const (
	// longestGRPC is the longest time-out of the fast path. With more, a connection on which the
	// server is silent has to be given up for another one.
	longestGRPC = 20 * time.Second

	// longestService is the longest name of a service, in bytes, that the fast path asks for.
	longestService = 8 << 10
)

// newGRPCTarget formats the whole call (R90, R91).
func newGRPCTarget(call probe.GRPC) *target {
	addr, ok := literal(call.Host, call.Port)
	timeout := timeoutOr(call.Timeout)
	if !ok || call.Dial != nil || timeout > longestGRPC || len(call.Service) > longestService {
		return nil
	}
	grpc := healthcall.NewTarget(addr.String(), call.Service, probe.DefaultUserAgent, timeout)
	return &target{addr: addr, timeout: timeout, grpc: grpc}
}
