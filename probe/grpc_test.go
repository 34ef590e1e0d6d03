package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/probity-run/probity/probe/internal/probetest"
)

// TestGRPCAnswers goes through the answers of a health service (H01–H05, H13).
func TestGRPCAnswers(t *testing.T) {
	const (
		serving    = grpc_health_v1.HealthCheckResponse_SERVING
		notServing = grpc_health_v1.HealthCheckResponse_NOT_SERVING
		unknown    = grpc_health_v1.HealthCheckResponse_UNKNOWN
	)
	tests := map[string]struct {
		check probetest.Check
		want  expectation
	}{
		"H01 serving":     {probetest.Answers(serving, nil), expectation{outcome: Success}},
		"H02 not serving": {probetest.Answers(notServing, nil), expectation{outcome: Failure, output: `service unhealthy (responded with "NOT_SERVING")`}},
		"H03 unknown":     {probetest.Answers(unknown, nil), expectation{outcome: Failure, output: `service unhealthy (responded with "UNKNOWN")`}},
		"H03 service unknown": {
			probetest.Answers(grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN, nil),
			expectation{outcome: Failure, output: `service unhealthy (responded with "SERVICE_UNKNOWN")`},
		},
		"R92 number without a name": {probetest.Answers(42, nil), expectation{outcome: Failure, output: `service unhealthy (responded with "42")`}},
		"H04 not found": {
			probetest.Answers(unknown, status.Error(codes.NotFound, "unknown service")),
			expectation{outcome: Failure, output: "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"},
		},
		"H05 not registered": {
			nil,
			expectation{outcome: Failure, output: "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health"},
		},
		"H13 permission denied": {
			probetest.Answers(unknown, status.Error(codes.PermissionDenied, "no")),
			expectation{outcome: Failure, output: "error: health rpc probe failed: rpc error: code = PermissionDenied desc = no"},
		},
		"R94 unavailable": {
			probetest.Answers(unknown, status.Error(codes.Unavailable, "later")),
			expectation{outcome: Failure, output: "error: health rpc probe failed: rpc error: code = Unavailable desc = later"},
		},
		"long text": {
			probetest.Answers(unknown, status.Error(codes.Internal, strings.Repeat("x", 100<<10))),
			expectation{outcome: Failure, output: ("error: health rpc probe failed: rpc error: code = Internal desc = " + strings.Repeat("x", 100<<10))[:10240]},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.check(t, GRPC{Port: probetest.ServeGRPC(t, test.check), Timeout: ample}.Probe(t.Context()), "")
		})
	}
}

// TestGRPCNotConnected goes through peers that never become a connection; all take the whole
// time-out (H07–H10).
func TestGRPCNotConnected(t *testing.T) {
	tlsOnly := credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{badCertificate(t)}})
	ports := map[string]int{
		"H07 refused":         probetest.RefusedPort(t),
		"H08 silent":          probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Hold(conn) }).Port,
		"H09 plain HTTP/1.1":  serveHTTP(t, protocol),
		"H10 TLS":             probetest.ServeGRPC(t, probetest.Answers(grpc_health_v1.HealthCheckResponse_SERVING, nil), grpc.Creds(tlsOnly)),
		"R95 impossible port": 70000,
	}
	for name, port := range ports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			got := GRPC{Port: port, Timeout: brief}.Probe(t.Context())
			want := expectation{outcome: Failure, output: `timeout: failed to connect service "{addr}" within 150ms: context deadline exceeded`}
			want.check(t, got, address("", port))
			if took := time.Since(begin); took < brief {
				t.Errorf("took %v, want at least %v", took, brief)
			}
		})
	}
}

// TestGRPCHangingCall lets the connection succeed and the call hang (H06).
func TestGRPCHangingCall(t *testing.T) {
	t.Parallel()
	port := probetest.ServeGRPC(t, func(ctx context.Context, _ string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	got := GRPC{Port: port, Timeout: staged}.Probe(t.Context())
	expectation{outcome: Failure, output: "timeout: health rpc did not complete within 600ms"}.check(t, got, "")
}

func TestGRPCStoppedInTheCall(t *testing.T) {
	cause := errors.New("pod deleted")
	ctx, cancel := context.WithCancelCause(t.Context())
	port := probetest.ServeGRPC(t, func(ctx context.Context, _ string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
		cancel(cause)
		<-ctx.Done()
		return 0, ctx.Err()
	})
	checkStopped(t, GRPC{Port: port, Timeout: ample}.Probe(ctx), cause)
}

// TestGRPCRequest looks at what arrives (H12, H14).
func TestGRPCRequest(t *testing.T) {
	for name, service := range map[string]string{"absent": "", "given": "svc"} {
		t.Run(name, func(t *testing.T) {
			var got string
			var header metadata.MD
			port := probetest.ServeGRPC(t, func(ctx context.Context, service string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
				got = service
				header, _ = metadata.FromIncomingContext(ctx)
				return grpc_health_v1.HealthCheckResponse_SERVING, nil
			})
			if result := (GRPC{Port: port, Service: service, Timeout: ample}).Probe(t.Context()); result.Outcome != Success {
				t.Fatalf("result = %v, want success", result)
			}
			if got != service {
				t.Errorf("service = %q, want %q", got, service)
			}
			if agents := header.Get("user-agent"); len(agents) != 1 || !strings.HasPrefix(agents[0], "kube-probe/1.36 ") {
				t.Errorf("user agent = %q, want it to begin with kube-probe/1.36", agents)
			}
			if hosts := header.Get(":authority"); len(hosts) != 1 || hosts[0] != address("", port) {
				t.Errorf("authority = %q, want %q", hosts, address("", port))
			}
		})
	}
}

// TestGRPCDialsAgain refuses every dial, in virtual time: the attempt takes its time-out to the
// instant and tries again after about one second, then less often (R93).
func TestGRPCDialsAgain(t *testing.T) {
	for name, test := range map[string]struct {
		timeout  time.Duration
		min, max int32 // dials; the pauses have a random part of 20%
	}{
		"default time-out":             {0, 1, 2},
		"long enough for one more":     {1500 * time.Millisecond, 2, 2},
		"long enough for several more": {10 * time.Second, 3, 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var dials atomic.Int32
				begin := time.Now()
				probe := GRPC{Port: 80, Timeout: test.timeout, Dial: func(context.Context, string, string) (net.Conn, error) {
					dials.Add(1)
					return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
				}}
				got := probe.Probe(t.Context())
				if got.Outcome != Failure || !strings.HasPrefix(got.Output, "timeout: failed to connect service") {
					t.Errorf("result = %v, want a failure to connect", got)
				}
				if took, want := time.Since(begin), timeoutOr(test.timeout); took != want {
					t.Errorf("took %v, want %v", took, want)
				}
				if n := dials.Load(); n < test.min || n > test.max {
					t.Errorf("%d dials, want %d to %d", n, test.min, test.max)
				}
			})
		})
	}
}

// TestGRPCFindsALateServer refuses the first dial only (R93).
func TestGRPCFindsALateServer(t *testing.T) {
	t.Parallel()
	port := probetest.ServeGRPC(t, probetest.Answers(grpc_health_v1.HealthCheckResponse_SERVING, nil))
	var dials atomic.Int32
	probe := GRPC{Port: port, Timeout: ample, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dials.Add(1) == 1 {
			return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	if got := probe.Probe(t.Context()); got.Outcome != Success || dials.Load() != 2 {
		t.Errorf("result = %v after %d dials, want success after 2", got, dials.Load())
	}
}
