package probe

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// GRPC is the grpc handler (R90–R95): one call of grpc.health.v1.Health/Check over a plaintext
// connection. The service is healthy if it answers SERVING.
//
// Unlike the other handlers it keeps trying to connect: a refused connection takes the whole
// Timeout, and a service that comes up within it is found. No answer of a service is a prober
// error.
type GRPC struct {
	// Host is a name or address. Default [DefaultHost]. (Kubernetes has no such field: it is the
	// pod's address.)
	Host string
	// Port is a number; one that nobody can listen on is a failure like any wrong port (R95).
	Port int
	// Service is the name sent in the request. Default: empty, the server as a whole.
	Service string
	// Timeout covers connecting and the call together. Default [DefaultTimeout].
	Timeout time.Duration
	// Dial opens the connection. Default: a plain TCP connection.
	Dial DialFunc
}

// Probe connects, calls once and disconnects. A success has no output.
func (g GRPC) Probe(ctx context.Context) Result {
	timeout, addr := timeoutOr(g.Timeout), address(g.Host, g.Port)
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	limited, giveUp := context.WithCancelCause(limited)
	defer giveUp(nil)
	conn, err := g.newConn(addr, giveUp)
	if err != nil {
		return unevaluable(fmt.Errorf("cannot construct the connection to %s: %w", addr, err))
	}
	defer conn.Close() // joins the connection's goroutines; it fails only if closed before
	if !connected(limited, conn) {
		if result, ok := excused(ctx, context.Cause(limited)); ok {
			return result
		}
		return GRPCConnectVerdict(addr, timeout)
	}
	answer, err := grpc_health_v1.NewHealthClient(conn).Check(limited, &grpc_health_v1.HealthCheckRequest{Service: g.Service})
	switch {
	case err != nil && ctx.Err() != nil:
		return stopped(ctx)
	case err != nil:
		return failure(callFailure(err, timeout))
	}
	return GRPCVerdict(int32(answer.GetStatus()))
}

// newConn prepares a connection to addr; nothing is dialled yet. A dial that fails for want of
// resources calls giveUp: trying on until the time-out would only make it worse.
func (g GRPC) newConn(addr string, giveUp context.CancelCauseFunc) (*grpc.ClientConn, error) {
	dial := g.Dial.orDefault()
	// The passthrough target keeps grpc from resolving, rewriting or proxying the address.
	return grpc.NewClient("passthrough:///probe",
		grpc.WithAuthority(addr),
		grpc.WithUserAgent(DefaultUserAgent),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			conn, err := dial(ctx, "tcp", addr)
			if isShortage(err) {
				giveUp(err)
			}
			return conn, err
		}))
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
