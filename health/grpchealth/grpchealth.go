// Package grpchealth answers the gRPC health protocol (grpc.health.v1) from a [health.Health]:
// Check, Watch and List.
//
//	server := grpc.NewServer()
//	grpchealth.Register(server, h, "shop.v1.Orders")
//
// The services "startup", "readiness" and "liveness" answer Kubernetes' three probes; they are for
// the field service of a grpc probe. The empty name, and each that is given to [Register], answers
// readiness, as load balancers and clients expect. Every check, task and heartbeat can be asked for
// by its own name as well, unless it has one of the names above.
package grpchealth

import (
	"context"
	"fmt"
	"sync"

	"github.com/probity-run/probity/health"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// Register adds the health protocol to a server, and the server to what h drains: when h stops,
// everything is NOT_SERVING at once, and after ShutdownDelay the Watch streams end and the server
// stops gracefully, or without waiting when DrainTimeout is over. Call it before server.Serve. The
// services are those whose clients ask for their health by name.
func Register(server *grpc.Server, h *health.Health, services ...string) {
	s := &service{h: h, ended: make(chan struct{}), probes: map[string]health.Probe{
		"": health.Readiness, "startup": health.Startup, "readiness": health.Readiness, "liveness": health.Liveness,
	}}
	for _, name := range services {
		s.probes[name] = health.Readiness
	}
	healthpb.RegisterHealthServer(server, s)
	end := sync.OnceFunc(func() { close(s.ended) })
	h.Drain("grpc server", func(ctx context.Context) error {
		end() // GracefulStop waits for streams
		return stop(ctx, server)
	})
}

// stop waits for calls in flight until ctx ends, and cuts them off then.
func stop(ctx context.Context, server *grpc.Server) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		server.Stop() // makes GracefulStop return
		<-done
		return fmt.Errorf("calls in flight are cut off: %w", ctx.Err())
	}
}

// service implements the protocol. Safe for concurrent use.
type service struct {
	healthpb.UnimplementedHealthServer
	h      *health.Health
	probes map[string]health.Probe // by service name; never changed
	ended  chan struct{}           // closed when streams have to end
}

func (s *service) Check(_ context.Context, r *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	answer := s.answer(r.GetService())
	if answer == healthpb.HealthCheckResponse_SERVICE_UNKNOWN {
		return nil, status.Errorf(codes.NotFound, "there is no service %q", r.GetService())
	}
	return &healthpb.HealthCheckResponse{Status: answer}, nil
}

func (s *service) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	all := map[string]*healthpb.HealthCheckResponse{}
	for _, p := range []health.Probe{health.Startup, health.Readiness, health.Liveness} {
		for _, c := range s.h.Report(p).Checks {
			all[c.Name] = &healthpb.HealthCheckResponse{Status: serving(c.State == "ok")}
		}
	}
	for name, p := range s.probes {
		all[name] = &healthpb.HealthCheckResponse{Status: serving(s.h.OK(p))}
	}
	return &healthpb.HealthListResponse{Statuses: all}, nil
}

func (s *service) Watch(r *healthpb.HealthCheckRequest, stream healthpb.Health_WatchServer) error {
	sent := healthpb.HealthCheckResponse_ServingStatus(-1)
	for {
		changed := s.h.Changed() // before answer, so that no change is missed
		if now := s.answer(r.GetService()); now != sent {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: now}); err != nil {
				return err
			}
			sent = now
		}
		select {
		case <-changed:
		case <-s.ended:
			return status.Error(codes.Unavailable, "the server is stopping")
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
	}
}

func (s *service) answer(name string) healthpb.HealthCheckResponse_ServingStatus {
	if p, ok := s.probes[name]; ok {
		return serving(s.h.OK(p))
	}
	for _, p := range []health.Probe{health.Readiness, health.Liveness, health.Startup} {
		for _, c := range s.h.Report(p).Checks {
			if c.Name == name {
				return serving(c.State == "ok")
			}
		}
	}
	return healthpb.HealthCheckResponse_SERVICE_UNKNOWN
}

func serving(ok bool) healthpb.HealthCheckResponse_ServingStatus {
	if ok {
		return healthpb.HealthCheckResponse_SERVING
	}
	return healthpb.HealthCheckResponse_NOT_SERVING
}
