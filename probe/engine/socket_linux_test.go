package engine_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/probetest"
	"github.com/probity-run/probity/test/healthserver"
)

// TestLeavesNoTimeWait looks for what TCP and gRPC attempts left in the system's table of
// connections.
func TestLeavesNoTimeWait(t *testing.T) {
	e := newEngine(t)
	p := probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Hold(conn) })
	health := probetest.ServeHealth(t, healthserver.Always(healthserver.OK, nil))
	// a port may still be known from connections of others, before it was this test's
	before, healthBefore := timeWaits(t, p.Port), timeWaits(t, health)
	for range 50 {
		for _, prober := range []probe.Prober{probe.TCPSocket{Port: p.Port, Timeout: ample}, probe.GRPC{Port: health, Timeout: ample}} {
			if r := e.Prepare(prober).Probe(t.Context()); r.Outcome != probe.Success {
				t.Fatalf("result = %v, want success", r)
			}
		}
	}
	if n := timeWaits(t, p.Port); n > before {
		t.Errorf("%d sockets in TIME_WAIT after TCP attempts, want the %d before", n, before)
	}
	if n := timeWaits(t, health); n > healthBefore {
		t.Errorf("%d sockets in TIME_WAIT after gRPC attempts, want the %d before", n, healthBefore)
	}
}

// timeWaits counts the sockets in TIME_WAIT that have the port on either side.
func timeWaits(t *testing.T, port int) (n int) {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Skip("the system does not show its connections:", err)
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if suffix := fmt.Sprintf(":%04X", port); fields[3] == "06" && (strings.HasSuffix(fields[1], suffix) || strings.HasSuffix(fields[2], suffix)) {
			n++
		}
	}
	return n
}
