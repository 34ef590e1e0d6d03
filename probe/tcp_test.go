package probe

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/probe/internal/probetest"
)

func TestTCPSocket(t *testing.T) {
	refused := probetest.RefusedPort(t)
	tests := map[string]struct {
		script func(*probetest.Peer, net.Conn)
		probe  TCPSocket // the port is filled in from the script
		want   expectation
	}{
		"F01 stays open":       {script: func(_ *probetest.Peer, conn net.Conn) { probetest.Hold(conn) }, want: expectation{outcome: Success}},
		"F02 closes at once":   {script: func(_ *probetest.Peer, conn net.Conn) {}, want: expectation{outcome: Success}},
		"F03 resets":           {script: func(_ *probetest.Peer, conn net.Conn) { probetest.Reset(conn) }, want: expectation{outcome: Success}},
		"F05 nothing listens":  {probe: TCPSocket{Port: refused}, want: expectation{outcome: Failure, output: "dial tcp {addr}: connect: connection refused"}},
		"F07 host":             {script: func(_ *probetest.Peer, conn net.Conn) {}, probe: TCPSocket{Host: "127.0.0.1"}, want: expectation{outcome: Success}},
		"F09 speaks HTTP 500":  {script: probetest.Answer("HTTP/1.1 500 no\r\n\r\n"), want: expectation{outcome: Success}},
		"R80 no such host":     {probe: TCPSocket{Host: "no..such", Port: 80}, want: expectation{outcome: Failure, output: "dial tcp: lookup no..such: no such host"}},
		"R47 port below range": {probe: TCPSocket{Port: -1}, want: expectation{outcome: Unknown, err: "invalid port number: -1, must be between 1 and 65535"}},
		"R47 port above range": {probe: TCPSocket{Port: 65536}, want: expectation{outcome: Unknown, err: "invalid port number: 65536, must be between 1 and 65535"}},
		"R47 no port at all":   {probe: TCPSocket{}, want: expectation{outcome: Unknown, err: "invalid port number: 0, must be between 1 and 65535"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.script != nil {
				test.probe.Port = probetest.Serve(t, test.script).Port
			}
			test.probe.Timeout = ample
			test.want.check(t, test.probe.Probe(t.Context()), address(test.probe.Host, test.probe.Port))
		})
	}
}

// TestTCPSendsNothing reads what arrives until the prober closes (F01).
func TestTCPSendsNothing(t *testing.T) {
	received := make(chan []byte, 1)
	p := probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) {
		data, _ := io.ReadAll(conn)
		received <- data
	})
	if got := (TCPSocket{Port: p.Port, Timeout: ample}).Probe(t.Context()); got.Outcome != Success {
		t.Fatalf("result = %+v, want success", got)
	}
	if data := <-received; len(data) != 0 {
		t.Errorf("received %q, want nothing", data)
	}
}

// TestTCPBacklog: a listener that nobody accepts from is healthy (R79).
func TestTCPBacklog(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	got := TCPSocket{Port: listener.Addr().(*net.TCPAddr).Port, Timeout: ample}.Probe(t.Context())
	if got.Detail = (Detail{}); got != (Result{Outcome: Success}) {
		t.Errorf("result = %+v, want success without output", got)
	}
}

// TestTCPTimeout lets a connection hang, in virtual time.
func TestTCPTimeout(t *testing.T) {
	for name, test := range map[string]struct{ set, want time.Duration }{
		"default": {0, time.Second},
		"set":     {3 * time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				got := TCPSocket{Port: 80, Timeout: test.set, Dial: dialHanging}.Probe(t.Context())
				expectation{outcome: Failure, output: "dial tcp {addr}: i/o timeout"}.check(t, got, "127.0.0.1:80")
				if took := time.Since(begin); took != test.want {
					t.Errorf("took %v, want %v", took, test.want)
				}
			})
		})
	}
}

// dialHanging never connects; it fails as a net.Dialer does.
func dialHanging(ctx context.Context, network, addr string) (net.Conn, error) {
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr)), Err: timeoutError{}}
}

type timeoutError struct{}

func (timeoutError) Error() string { return "i/o timeout" }
func (timeoutError) Timeout() bool { return true }
