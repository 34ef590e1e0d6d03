package probe

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// GRPCUserAgent is what a [GRPC] attempt sends as user-agent: the client library adds its own name
// (R91).
const GRPCUserAgent = DefaultUserAgent + " grpc-go/" + grpc.Version

// The functions below are for those who perform attempts in a way of their own, like package
// engine. The handlers use them too, so that all ways say the same.

// Dial opens a connection like the handlers do if they are given no Dial.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return DialFunc(nil).orDefault()(ctx, network, address)
}

// HTTPVerdict returns the result of a complete answer: its status and the first 10 KiB of its body
// (R62, R63). The body of a failure is kept out of the text, because events are read by more people
// than the service's answers.
func HTTPVerdict(status int, body string) Result {
	switch {
	case status >= 200 && status < 300:
		return Result{Outcome: Success, Output: body}
	case status >= 300 && status < 400:
		return Result{Outcome: Warning, Output: "Probe terminated redirects, Response body: " + body}
	}
	return failure(fmt.Sprintf("HTTP probe failed with statuscode: %d", status))
}

// ErrorVerdict returns the result of an HTTP or TCP attempt that ended in err before there was an
// answer: a failure of the service (R64, R80), or a prober error that wraps [ErrShortage].
func ErrorVerdict(err error) Result {
	if result, ok := excused(context.Background(), err); ok {
		return result
	}
	return failure(err.Error())
}

// GRPCVerdict returns the result of a health service's answer, given as the number of the
// ServingStatus (R92).
func GRPCVerdict(serving int32) Result {
	answer := grpc_health_v1.HealthCheckResponse_ServingStatus(serving)
	if answer != grpc_health_v1.HealthCheckResponse_SERVING {
		return failure(fmt.Sprintf("service unhealthy (responded with %q)", answer))
	}
	return Result{Outcome: Success}
}

// GRPCCallVerdict returns the result of a call that failed with a gRPC status, given as its number
// and message (R94). timeout is the attempt's.
func GRPCCallVerdict(code uint32, message string, timeout time.Duration) Result {
	return failure(callFailure(status.Error(codes.Code(code), message), timeout))
}

// GRPCConnectVerdict returns the result of an attempt that had no connection to addr when its
// timeout was over (R93).
func GRPCConnectVerdict(addr string, timeout time.Duration) Result {
	return failure(fmt.Sprintf("timeout: failed to connect service %q within %v: %v", addr, timeout, context.DeadlineExceeded))
}
