package main

import (
	"context"
	"crypto/tls"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/probity-run/probity/test/differential/ledger"
)

// checker answers health checks by a script of: a serving status by its name, "hang", or a code by
// its name, such as NOT_FOUND or PERMISSION_DENIED.
type checker struct {
	health.UnimplementedHealthServer
	s *service
}

// Check implements the health protocol.
func (c checker) Check(ctx context.Context, r *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	step := c.s.recorder.nextStep(ledger.Request, "grpc", c.s.health)
	if c.s.shape {
		md, _ := metadata.FromIncomingContext(ctx)
		c.s.recorder.mustRecord(ledger.Shape, "grpc", "service="+r.Service+" user-agent="+strings.Join(md.Get("user-agent"), "+"))
	}
	if step == "hang" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if n, ok := health.HealthCheckResponse_ServingStatus_value[step]; ok {
		return &health.HealthCheckResponse{Status: health.HealthCheckResponse_ServingStatus(n)}, nil
	}
	var code codes.Code
	if err := code.UnmarshalJSON([]byte(`"` + step + `"`)); err != nil {
		return nil, err
	}
	return nil, status.Error(code, "as the script says")
}

// serveGRPC serves health, or nothing if the script says NONE.
func (s *service) serveGRPC(listener net.Listener) error {
	var options []grpc.ServerOption
	if s.grpcTLS {
		certificate, err := expired()
		if err != nil {
			return err
		}
		options = append(options, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate}})))
	}
	server := grpc.NewServer(options...)
	if s.health != "NONE" {
		health.RegisterHealthServer(server, checker{s: s})
	}
	return server.Serve(listener)
}
