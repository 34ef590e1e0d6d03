// Package oracle makes gRPC health checks the way the kubelet does: with grpc-go, and with the
// kubelet's code around it. Package probe does without grpc-go, and has to agree with this.
package oracle

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/probity-run/probity/probe"
)

// GRPC is a [probe.Prober] like [probe.GRPC] without a Dial.
type GRPC struct {
	Host    string
	Port    int
	Service string
	Timeout time.Duration
}

// Probe connects, calls once and disconnects.
func (g GRPC) Probe(ctx context.Context) probe.Result {
	addr := net.JoinHostPort(g.Host, strconv.Itoa(g.Port))
	limited, cancel := context.WithTimeout(ctx, g.Timeout)
	defer cancel()
	// The passthrough target keeps grpc from resolving, rewriting or proxying the address.
	conn, err := grpc.NewClient("passthrough:///"+addr,
		grpc.WithAuthority(addr),
		grpc.WithUserAgent(probe.DefaultUserAgent),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}))
	if err != nil {
		return probe.Result{Err: err}
	}
	defer conn.Close()
	if !connected(limited, conn) {
		if ctx.Err() != nil {
			return probe.Result{Err: errors.Join(probe.ErrStopped, context.Cause(ctx))}
		}
		return failed(fmt.Sprintf("timeout: failed to connect service %q within %v: %v", addr, g.Timeout, context.DeadlineExceeded))
	}
	answer, err := grpc_health_v1.NewHealthClient(conn).Check(limited, &grpc_health_v1.HealthCheckRequest{Service: g.Service})
	switch {
	case err != nil && ctx.Err() != nil:
		return probe.Result{Err: errors.Join(probe.ErrStopped, context.Cause(ctx))}
	case err != nil:
		return failed(callFailure(err, g.Timeout))
	case answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING:
		return failed(fmt.Sprintf("service unhealthy (responded with %q)", answer.GetStatus()))
	}
	return probe.Result{Outcome: probe.Success}
}

// connected waits until the connection is ready; false means that ctx was done before.
func connected(ctx context.Context, conn *grpc.ClientConn) bool {
	for {
		state := conn.GetState()
		switch state {
		case connectivity.Ready:
			return true
		case connectivity.Idle:
			conn.Connect()
		}
		if !conn.WaitForStateChange(ctx, state) {
			return false
		}
	}
}

// callFailure returns the kubelet's text for a call that failed (R94).
func callFailure(err error, timeout time.Duration) string {
	switch answer := status.Convert(err); answer.Code() {
	case codes.Unimplemented:
		return "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): " + answer.Message()
	case codes.DeadlineExceeded:
		return fmt.Sprintf("timeout: health rpc did not complete within %v", timeout)
	}
	return fmt.Sprintf("error: health rpc probe failed: %v", err)
}

// failed returns a failure with a text that is cut as in package probe (R87).
func failed(text string) probe.Result {
	return probe.Result{Outcome: probe.Failure, Output: text[:min(len(text), 10<<10)]}
}
