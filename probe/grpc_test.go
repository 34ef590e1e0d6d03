package probe

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/probe/internal/probetest"
	"github.com/probity-run/probity/test/healthserver"
)

// TestGRPCAnswers goes through the answers of a health service (H01–H05, H13).
func TestGRPCAnswers(t *testing.T) {
	const unknown = healthserver.Unknown
	tests := map[string]struct {
		check healthserver.Check
		want  expectation
	}{
		"H01 serving":     {healthserver.Always(healthserver.OK, nil), expectation{outcome: Success}},
		"H02 not serving": {healthserver.Always(healthserver.NotServing, nil), expectation{outcome: Failure, output: `service unhealthy (responded with "NOT_SERVING")`}},
		"H03 unknown":     {healthserver.Always(unknown, nil), expectation{outcome: Failure, output: `service unhealthy (responded with "UNKNOWN")`}},
		"H03 service unknown": {
			healthserver.Always(healthserver.ServiceUnknown, nil),
			expectation{outcome: Failure, output: `service unhealthy (responded with "SERVICE_UNKNOWN")`},
		},
		"R92 number without a name": {healthserver.Always(42, nil), expectation{outcome: Failure, output: `service unhealthy (responded with "42")`}},
		"H04 not found": {
			healthserver.Always(unknown, &healthserver.Status{Code: healthserver.CodeNotFound, Message: "unknown service"}),
			expectation{outcome: Failure, output: "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"},
		},
		"H05 not registered": {
			nil,
			expectation{outcome: Failure, output: "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health"},
		},
		"H13 permission denied": {
			healthserver.Always(unknown, &healthserver.Status{Code: healthserver.CodePermissionDenied, Message: "no"}),
			expectation{outcome: Failure, output: "error: health rpc probe failed: rpc error: code = PermissionDenied desc = no"},
		},
		"R94 unavailable": {
			healthserver.Always(unknown, &healthserver.Status{Code: healthserver.CodeUnavailable, Message: "later"}),
			expectation{outcome: Failure, output: "error: health rpc probe failed: rpc error: code = Unavailable desc = later"},
		},
		"long text": {
			healthserver.Always(unknown, &healthserver.Status{Code: healthserver.CodeInternal, Message: strings.Repeat("x", 100<<10)}),
			expectation{outcome: Failure, output: ("error: health rpc probe failed: rpc error: code = Internal desc = " + strings.Repeat("x", 100<<10))[:10240]},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.check(t, GRPC{Port: probetest.ServeHealth(t, test.check), Timeout: ample}.Probe(t.Context()), "")
		})
	}
}

// TestGRPCNotConnected goes through peers that never become a connection; all take the whole
// time-out (H07–H10).
func TestGRPCNotConnected(t *testing.T) {
	ports := map[string]int{
		"H07 refused":         probetest.RefusedPort(t),
		"H08 silent":          probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Hold(conn) }).Port,
		"H09 plain HTTP/1.1":  serveHTTP(t, protocol),
		"H10 TLS":             probetest.ServeHealthTLS(t, healthserver.Always(healthserver.OK, nil), badCertificate(t)),
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
	port := probetest.ServeHealth(t, func(r *http.Request, _ string) (healthserver.Serving, error) {
		<-r.Context().Done()
		return 0, r.Context().Err()
	})
	want := expectation{outcome: Failure, output: "timeout: health rpc did not complete within {timeout}"}
	want.checkAt(t, staged, func(timeout time.Duration) (got Result, addr string) {
		return GRPC{Port: port, Timeout: timeout}.Probe(t.Context()), ""
	})
}

func TestGRPCStoppedInTheCall(t *testing.T) {
	cause := errors.New("pod deleted")
	ctx, cancel := context.WithCancelCause(t.Context())
	port := probetest.ServeHealth(t, func(r *http.Request, _ string) (healthserver.Serving, error) {
		cancel(cause)
		<-r.Context().Done()
		return 0, r.Context().Err()
	})
	checkStopped(t, GRPC{Port: port, Timeout: ample}.Probe(ctx), cause)
}

// TestGRPCRequest looks at what arrives (H12, H14).
func TestGRPCRequest(t *testing.T) {
	for name, service := range map[string]string{"absent": "", "given": "svc"} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			var asked string
			port := probetest.ServeHealth(t, func(r *http.Request, service string) (healthserver.Serving, error) {
				got, asked = r, service
				return healthserver.OK, nil
			})
			if result := (GRPC{Port: port, Service: service, Timeout: ample}).Probe(t.Context()); result.Outcome != Success {
				t.Fatalf("result = %v, want success", result)
			}
			if asked != service {
				t.Errorf("service = %q, want %q", asked, service)
			}
			if agent := got.Header.Get("User-Agent"); !strings.HasPrefix(agent, "kube-probe/1.36 ") {
				t.Errorf("user agent = %q, want it to begin with kube-probe/1.36", agent)
			}
			if got.Host != address("", port) {
				t.Errorf("authority = %q, want %q", got.Host, address("", port))
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
	port := probetest.ServeHealth(t, healthserver.Always(healthserver.OK, nil))
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
