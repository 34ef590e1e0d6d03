package engine_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/engine"
	"github.com/probity-run/probity/probe/internal/probetest"
	"github.com/probity-run/probity/test/healthserver"
)

// TestGRPCAnswersAgree goes through the answers of a health service (H01–H05, H13).
func TestGRPCAnswersAgree(t *testing.T) {
	e := newEngine(t)
	fails := func(code int, message string) healthserver.Check {
		return healthserver.Always(0, &healthserver.Status{Code: code, Message: message})
	}
	tests := map[string]struct {
		check healthserver.Check
		want  string
	}{
		"H01 serving":            {healthserver.Always(healthserver.OK, nil), "succeeded"},
		"H02 not serving":        {healthserver.Always(healthserver.NotServing, nil), `responded with "NOT_SERVING"`},
		"H03 unknown":            {healthserver.Always(healthserver.Unknown, nil), `responded with "UNKNOWN"`},
		"H03 service unknown":    {healthserver.Always(healthserver.ServiceUnknown, nil), `responded with "SERVICE_UNKNOWN"`},
		"R92 no name":            {healthserver.Always(42, nil), `responded with "42"`},
		"R92 large number":       {healthserver.Always(300, nil), `responded with "300"`},
		"H04 not found":          {fails(healthserver.CodeNotFound, "unknown service"), "rpc error: code = NotFound desc = unknown service"},
		"H05 not registered":     {nil, "does not implement the grpc health protocol"},
		"H06 server's deadline":  {fails(healthserver.CodeDeadlineExceeded, "mine"), "health rpc did not complete within 20s"},
		"H13 permission denied":  {fails(healthserver.CodePermissionDenied, "no"), "code = PermissionDenied desc = no"},
		"R94 unavailable":        {fails(healthserver.CodeUnavailable, "later"), "code = Unavailable desc = later"},
		"R94 unnamed code":       {fails(77, "odd"), "code = Code(77) desc = odd"},
		"R94 percent-coded text": {fails(healthserver.CodeInternal, "50% ä\n%zz"), "50% ä\n%zz"},
		"R94 no text":            {fails(healthserver.CodeInternal, ""), "code = Internal desc = "},
		"R94 long text":          {fails(healthserver.CodeInternal, strings.Repeat("x", 100<<10)), "xxx"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			agree(t, e, probe.GRPC{Port: probetest.ServeHealth(t, test.check), Timeout: ample}, test.want)
		})
	}
}

// TestGRPCNoConnectionAgrees goes through peers that never become a connection; all take the whole
// time-out (H07–H10).
func TestGRPCNoConnectionAgrees(t *testing.T) {
	e := newEngine(t)
	tests := map[string]probe.GRPC{
		"H07 refused":         {Port: probetest.RefusedPort(t)},
		"H08 silent":          {Port: probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Hold(conn) }).Port},
		"H08 closes":          {Port: probetest.Serve(t, func(*probetest.Peer, net.Conn) {}).Port},
		"H08 resets":          {Port: probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Reset(conn) }).Port},
		"H09 plain HTTP/1.1":  {Port: serveHTTP(t, nil, false)},
		"H10 TLS":             {Port: serveHTTP(t, nil, true)},
		"R95 impossible port": {Port: 70000},
		"IPv6":                {Host: "::1", Port: 1},
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			within := func(timeout time.Duration) probe.Prober { call.Timeout = timeout; return call }
			agreeAt(t, e, brief, within, "timeout: failed to connect service", orReset(name))
			call.Timeout = brief
			begin := time.Now()
			e.Prepare(call).Probe(t.Context())
			if took := time.Since(begin); took < brief {
				t.Errorf("took %v, want at least %v", took, brief)
			}
		})
	}
}

// settings is the frame with which a server begins.
const settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// TestGRPCBrokenCallAgrees breaks the connection when it stands, or lets the call hang (H06).
func TestGRPCBrokenCallAgrees(t *testing.T) {
	e := newEngine(t)
	// begin lets the client think that all is well until its call is there.
	begin := func(conn net.Conn) {
		_, _ = io.WriteString(conn, settings)
		readCall(conn)
	}
	tests := map[string]struct {
		script  func(*probetest.Peer, net.Conn)
		timeout time.Duration
		want    string
	}{
		"hangs":  {func(_ *probetest.Peer, conn net.Conn) { begin(conn); probetest.Hold(conn) }, staged, "health rpc did not complete within {timeout}"},
		"resets": {func(_ *probetest.Peer, conn net.Conn) { begin(conn); probetest.Reset(conn) }, ample, "error reading from server: connection reset by peer"},
		"closes": {func(_ *probetest.Peer, conn net.Conn) { begin(conn); closeWrite(conn) }, ample, "error reading from server: EOF"},
		"ends stream": {func(_ *probetest.Peer, conn net.Conn) {
			begin(conn)
			io.WriteString(conn, "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x02")
			probetest.Hold(conn)
		}, ample, "RST_STREAM"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := probe.GRPC{Port: probetest.Serve(t, test.script).Port}
			agreeAt(t, e, test.timeout, func(timeout time.Duration) probe.Prober { call.Timeout = timeout; return call }, test.want)
		})
	}
}

// readCall reads all that a client writes before it waits for an answer: what ends its call, which
// is the frame with the body, and the acknowledgement of the settings.
func readCall(conn net.Conn) {
	const preface, header = 24, 9
	const data, endStream, settings, ack = 0, 1, 4, 1
	if _, err := io.CopyN(io.Discard, conn, preface); err != nil {
		return
	}
	for called, acknowledged := false, false; !called || !acknowledged; {
		var frame [header]byte
		if _, err := io.ReadFull(conn, frame[:]); err != nil {
			return
		}
		size := int64(frame[0])<<16 | int64(frame[1])<<8 | int64(frame[2])
		if _, err := io.CopyN(io.Discard, conn, size); err != nil {
			return
		}
		called = called || frame[3] == data && frame[4]&endStream != 0
		acknowledged = acknowledged || frame[3] == settings && frame[4]&ack != 0
	}
}

// closeWrite sends a FIN and waits for the client's.
func closeWrite(conn net.Conn) {
	_ = conn.(*net.TCPConn).CloseWrite()
	probetest.Hold(conn)
}

// TestGRPCRequestAgrees looks at what arrives (H12, H14).
func TestGRPCRequestAgrees(t *testing.T) {
	e := newEngine(t)
	type request struct {
		Service, Host string
		Header        http.Header
	}
	for name, service := range map[string]string{"absent": "", "given": "svc", "long": strings.Repeat("s", 300)} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan request, 2)
			port := probetest.ServeHealth(t, func(r *http.Request, service string) (healthserver.Serving, error) {
				seen <- request{service, r.Host, r.Header}
				return healthserver.OK, nil
			})
			agree(t, e, probe.GRPC{Port: port, Service: service, Timeout: ample}, "succeeded")
			plain, fast := <-seen, <-seen // in any order
			if diff := cmp.Diff(plain, fast); diff != "" {
				t.Errorf("request (-plain +engine):\n%s", diff)
			}
			if fast.Service != service {
				t.Errorf("service = %q, want %q", fast.Service, service)
			}
		})
	}
}

// TestGRPCFindsALateServer resets the first connection: the next one follows after a second, and
// the attempt ends with it (R93).
func TestGRPCFindsALateServer(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	ctx, found := context.WithCancel(t.Context())
	p := probetest.Serve(t, func(p *probetest.Peer, conn net.Conn) {
		if accepted, _ := p.Counts(); accepted == 1 {
			probetest.Reset(conn)
			return
		}
		found()
		probetest.Hold(conn)
	})
	begun := time.Now()
	got := e.Prepare(probe.GRPC{Port: p.Port, Timeout: ample}).Probe(ctx)
	took := time.Since(begun)
	if tries, _ := p.Counts(); tries != 2 || took < 900*time.Millisecond || !errors.Is(got.Err, probe.ErrStopped) {
		t.Errorf("%d connections within %v, result %v; want 2 with a second in between", tries, took, got)
	}
}

// TestGRPCOverdueIsNotRepeated has a server that keeps the time too and breaks off what is overdue
// just before the engine's rounded time-out: that is a failure, although the next check would
// succeed (H06).
func TestGRPCOverdueIsNotRepeated(t *testing.T) {
	// so that the server is always first
	e, err := engine.New(engine.Options{Quantum: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	rounds := 0
	for tries := 0; rounds < 5 && tries < 100; tries++ {
		var calls atomic.Int32
		port := probetest.ServeHealth(t, func(r *http.Request, _ string) (healthserver.Serving, error) {
			if calls.Add(1) == 1 {
				<-r.Context().Done()
			}
			return healthserver.OK, r.Context().Err()
		})
		result := e.Prepare(probe.GRPC{Port: port, Timeout: 250 * time.Millisecond}).Probe(t.Context())
		if calls.Load() == 0 {
			continue // the call did not get there in time, so it was not overdue
		}
		rounds++
		if result.Outcome != probe.Failure || !strings.Contains(result.String()+result.Output, "health rpc did not complete within 250ms") || calls.Load() != 1 {
			t.Errorf("result = %v after %d calls, want the failure of a single one", result, calls.Load())
		}
	}
	if rounds < 5 {
		t.Errorf("%d calls arrived, want 5", rounds)
	}
}
