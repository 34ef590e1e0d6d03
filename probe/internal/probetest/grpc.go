package probetest

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// Check is what a gRPC health service answers.
type Check func(ctx context.Context, service string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error)

// Answers returns a health service that always says the same.
func Answers(status grpc_health_v1.HealthCheckResponse_ServingStatus, err error) Check {
	return func(context.Context, string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
		return status, err
	}
}

type healthServer struct {
	grpc_health_v1.UnimplementedHealthServer
	check Check
}

// Check implements [grpc_health_v1.HealthServer].
func (s healthServer) Check(ctx context.Context, req *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	answer, err := s.check(ctx, req.GetService())
	if err != nil {
		return nil, err
	}
	return &grpc_health_v1.HealthCheckResponse{Status: answer}, nil
}

// ServeGRPC starts a server on 127.0.0.1 and returns its port. A nil check leaves the health
// service out. All ends with the test.
func ServeGRPC(t testing.TB, check Check, options ...grpc.ServerOption) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(options...)
	if check != nil {
		grpc_health_v1.RegisterHealthServer(server, healthServer{check: check})
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serving ended with %v", err)
		}
	})
	return listener.Addr().(*net.TCPAddr).Port
}
