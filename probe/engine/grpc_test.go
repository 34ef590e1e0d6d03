package engine_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/probity-run/probity/probe"
)

const serving = grpc_health_v1.HealthCheckResponse_SERVING

// checkFunc is a health service.
type checkFunc func(ctx context.Context, service string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error)

type healthServer struct {
	grpc_health_v1.UnimplementedHealthServer
	check checkFunc
}

func (s healthServer) Check(ctx context.Context, req *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	answer, err := s.check(ctx, req.GetService())
	if err != nil {
		return nil, err
	}
	return &grpc_health_v1.HealthCheckResponse{Status: answer}, nil
}

// answers returns a health service that always says the same.
func answers(status grpc_health_v1.HealthCheckResponse_ServingStatus, err error) checkFunc {
	return func(context.Context, string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
		return status, err
	}
}

// serveGRPC starts a server on 127.0.0.1 and returns its port. A nil check leaves the health service out.
func serveGRPC(t testing.TB, check checkFunc, options ...grpc.ServerOption) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(options...)
	if check != nil {
		grpc_health_v1.RegisterHealthServer(server, healthServer{check: check})
	}
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() { server.Stop(); served.Wait() })
	return listener.Addr().(*net.TCPAddr).Port
}

// TestGRPCAnswersAgree goes through the answers of a health service (H01–H05, H13).
func TestGRPCAnswersAgree(t *testing.T) {
	e := newEngine(t)
	fails := func(code codes.Code, message string) checkFunc { return answers(0, status.Error(code, message)) }
	detailed, err := status.New(codes.Internal, "with details").WithDetails(&grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		check checkFunc
		want  string
	}{
		"H01 serving":            {answers(serving, nil), "succeeded"},
		"H02 not serving":        {answers(grpc_health_v1.HealthCheckResponse_NOT_SERVING, nil), `responded with "NOT_SERVING"`},
		"H03 unknown":            {answers(grpc_health_v1.HealthCheckResponse_UNKNOWN, nil), `responded with "UNKNOWN"`},
		"H03 service unknown":    {answers(grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN, nil), `responded with "SERVICE_UNKNOWN"`},
		"R92 no name":            {answers(42, nil), `responded with "42"`},
		"R92 large number":       {answers(300, nil), `responded with "300"`},
		"H04 not found":          {fails(codes.NotFound, "unknown service"), "rpc error: code = NotFound desc = unknown service"},
		"H05 not registered":     {nil, "does not implement the grpc health protocol"},
		"H06 server's deadline":  {fails(codes.DeadlineExceeded, "mine"), "health rpc did not complete within 20s"},
		"H13 permission denied":  {fails(codes.PermissionDenied, "no"), "code = PermissionDenied desc = no"},
		"R94 unavailable":        {fails(codes.Unavailable, "later"), "code = Unavailable desc = later"},
		"R94 unnamed code":       {fails(77, "odd"), "code = Code(77) desc = odd"},
		"R94 percent-coded text": {fails(codes.Internal, "50% ä\n%zz"), "50% ä\n%zz"},
		"R94 no text":            {fails(codes.Internal, ""), "code = Internal desc = "},
		"R94 details":            {answers(0, detailed.Err()), "with details"},
		"R94 long text":          {fails(codes.Internal, strings.Repeat("x", 100<<10)), "xxx"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			agree(t, e, probe.GRPC{Port: serveGRPC(t, test.check), Timeout: ample}, test.want)
		})
	}
}

// TestGRPCNoConnectionAgrees goes through peers that never become a connection; all take the whole time-out (H07–H10).
func TestGRPCNoConnectionAgrees(t *testing.T) {
	e := newEngine(t)
	tests := map[string]probe.GRPC{
		"H07 refused":         {Port: refusedPort(t)},
		"H08 silent":          {Port: serve(t, func(_ *peer, conn net.Conn) { hold(conn) }).port},
		"H08 closes":          {Port: serve(t, func(*peer, net.Conn) {}).port},
		"H08 resets":          {Port: serve(t, func(_ *peer, conn net.Conn) { reset(conn) }).port},
		"H09 plain HTTP/1.1":  {Port: serveHTTP(t, nil, false)},
		"H10 TLS":             {Port: serveHTTP(t, nil, true)},
		"R95 impossible port": {Port: 70000},
		"IPv6":                {Host: "::1", Port: 1},
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call.Timeout = brief
			agree(t, e, call, "timeout: failed to connect service")
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
		_, _ = io.ReadFull(conn, make([]byte, 24+9+50)) // the preface, settings and more
		time.Sleep(50 * time.Millisecond)
	}
	tests := map[string]struct {
		script  func(*peer, net.Conn)
		timeout time.Duration
		want    string
	}{
		"hangs":  {func(_ *peer, conn net.Conn) { begin(conn); hold(conn) }, staged, "health rpc did not complete within 600ms"},
		"resets": {func(_ *peer, conn net.Conn) { begin(conn); reset(conn) }, ample, "error reading from server: connection reset by peer"},
		"closes": {func(_ *peer, conn net.Conn) { begin(conn); closeWrite(conn) }, ample, "error reading from server: EOF"},
		"ends stream": {func(_ *peer, conn net.Conn) {
			begin(conn)
			io.WriteString(conn, "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x02")
			hold(conn)
		}, ample, "RST_STREAM"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			agree(t, e, probe.GRPC{Port: serve(t, test.script).port, Timeout: test.timeout}, test.want)
		})
	}
}

// closeWrite sends a FIN and waits for the client's.
func closeWrite(conn net.Conn) {
	_ = conn.(*net.TCPConn).CloseWrite()
	hold(conn)
}

// TestGRPCRequestAgrees looks at what arrives (H12, H14).
func TestGRPCRequestAgrees(t *testing.T) {
	e := newEngine(t)
	type request struct {
		Service string
		Header  metadata.MD
	}
	for name, service := range map[string]string{"absent": "", "given": "svc", "long": strings.Repeat("s", 300)} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan request, 2)
			port := serveGRPC(t, func(ctx context.Context, service string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
				header, _ := metadata.FromIncomingContext(ctx)
				seen <- request{service, header}
				return serving, nil
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

// TestGRPCFindsALateServer starts to listen when the first connection was refused (R93).
func TestGRPCFindsALateServer(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	begun, tries := time.Now(), 0
	p := serve(t, func(p *peer, conn net.Conn) {
		if accepted, _ := p.counts(); accepted == 1 {
			reset(conn)
			return
		}
		hold(conn)
	})
	got := e.Prepare(probe.GRPC{Port: p.port, Timeout: 1500 * time.Millisecond}).Probe(t.Context())
	if tries, _ = p.counts(); tries != 2 || got.Outcome != probe.Failure {
		t.Errorf("%d connections within %v, result %v; want 2 and a failure", tries, time.Since(begun), got)
	}
}
