package grpc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/probity-run/probity/test/grpc/oracle"
	"github.com/probity-run/probity/test/ports"
)

const (
	serving        = grpc_health_v1.HealthCheckResponse_SERVING
	notServing     = grpc_health_v1.HealthCheckResponse_NOT_SERVING
	serviceUnknown = grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN
)

// TestAnswers goes through the answers of a server of grpc-go (H01–H06, H13).
func TestAnswers(t *testing.T) {
	e := newEngine(t)
	fails := func(code codes.Code, message string) check { return answers(0, status.Error(code, message)) }
	detailed, err := status.New(codes.Internal, "with details").WithDetails(&grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		check check
		want  string
	}{
		"H01 serving":            {answers(serving, nil), "succeeded"},
		"H02 not serving":        {answers(notServing, nil), `responded with "NOT_SERVING"`},
		"H03 unknown":            {answers(0, nil), `responded with "UNKNOWN"`},
		"H03 service unknown":    {answers(serviceUnknown, nil), `responded with "SERVICE_UNKNOWN"`},
		"R92 no name":            {answers(42, nil), `responded with "42"`},
		"R92 large number":       {answers(300, nil), `responded with "300"`},
		"R92 negative number":    {answers(-1, nil), `responded with "-1"`},
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
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		tests["R94 code "+code.String()] = struct {
			check check
			want  string
		}{fails(code, "so it is"), ""}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ask(t, e, oracle.GRPC{Host: host, Port: serve(t, test.check), Timeout: ample}).agree(t, test.want)
		})
	}
}

// TestHangingCheck: server and client keep the time (H06).
func TestHangingCheck(t *testing.T) {
	e := newEngine(t)
	port := serve(t, func(ctx context.Context, _ string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	for range 3 {
		ask(t, e, oracle.GRPC{Host: host, Port: port, Timeout: staged}).agree(t, "health rpc did not complete within 600ms")
	}
}

// TestServerOptions has servers with limits of their own.
func TestServerOptions(t *testing.T) {
	e := newEngine(t)
	for name, option := range map[string]grpc.ServerOption{
		"windows":         grpc.InitialWindowSize(1 << 20),
		"one stream":      grpc.MaxConcurrentStreams(1),
		"short headers":   grpc.MaxHeaderListSize(4 << 10),
		"TLS":             grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate(t)}})),
		"small messages":  grpc.MaxRecvMsgSize(10),
		"no header table": grpc.HeaderTableSize(0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := serve(t, answers(serving, nil), option)
			timeout := ample
			if name == "TLS" { // which answers nothing
				timeout = staged
			}
			ask(t, e, oracle.GRPC{Host: host, Port: port, Service: "shop.v1.Orders", Timeout: timeout}).agree(t, "")
		})
	}
}

// certificate is signed by itself.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestServerStops: a server that stops says goodbye, and another one takes over its port.
func TestServerStops(t *testing.T) {
	e := newEngine(t)
	server := grpc.NewServer()
	began := make(chan struct{}, 3)
	grpc_health_v1.RegisterHealthServer(server, healthService{check: func(ctx context.Context, _ string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
		began <- struct{}{}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(300 * time.Millisecond): // long enough for the goodbye
			return serving, nil
		}
	}})
	port := serveOn(t, server)
	go func() {
		for range 3 {
			<-began
		}
		server.GracefulStop()
	}()
	ask(t, e, oracle.GRPC{Host: host, Port: port, Timeout: ample}).agree(t, "succeeded")
}

// TestRequest compares what arrives (H12, H14), by grpc-go's own eyes.
func TestRequest(t *testing.T) {
	e := newEngine(t)
	type request struct {
		Service string
		Header  metadata.MD
	}
	for name, service := range map[string]string{
		"absent": "", "given": "svc", "long": strings.Repeat("s", 300), "several frames": strings.Repeat("s", 40<<10), "no text": "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan request, 3)
			port := serve(t, func(ctx context.Context, service string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
				header, _ := metadata.FromIncomingContext(ctx)
				if _, ok := ctx.Deadline(); !ok {
					t.Error("the call has no deadline")
				}
				seen <- request{service, header}
				return serving, nil
			})
			ask(t, e, oracle.GRPC{Host: host, Port: port, Service: service, Timeout: ample}).agree(t, "")
			if service == "\xff" {
				return // nothing is sent
			}
			first := <-seen
			for range 2 {
				if diff := cmp.Diff(first, <-seen); diff != "" {
					t.Errorf("requests differ:\n%s", diff)
				}
			}
			if first.Service != service {
				t.Errorf("service = %q, want %q", first.Service, service)
			}
		})
	}
}

// TestUserAgent: the library that attempts name is the one that they are held against.
func TestUserAgent(t *testing.T) {
	agents := make(chan string, 1)
	port := serve(t, func(ctx context.Context, _ string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
		agents <- strings.Join(metadata.ValueFromIncomingContext(ctx, "user-agent"), " ")
		return serving, nil
	})
	probeOnce(t, port)
	if got, want := <-agents, "kube-probe/1.36 grpc-go/"+grpc.Version; got != want {
		t.Errorf("user agent = %q, want %q", got, want)
	}
}

// TestNotConnected goes through peers that are no gRPC server (H07–H10).
func TestNotConnected(t *testing.T) {
	e := newEngine(t)
	web := &http.Server{}
	listener := listen(t)
	go func() { _ = web.Serve(listener) }()
	t.Cleanup(func() { web.Close() })
	for name, port := range map[string]int{
		"H07 refused":        ports.Free(t),
		"H09 plain HTTP/1.1": listener.Addr().(*net.TCPAddr).Port,
	} {
		t.Run(name, func(t *testing.T) {
			ask(t, e, oracle.GRPC{Host: host, Port: port, Timeout: 1500 * time.Millisecond}).agree(t, "timeout: failed to connect service")
		})
	}
}
