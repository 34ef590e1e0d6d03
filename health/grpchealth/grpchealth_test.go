package grpchealth_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/probity-run/probity/health"
	"github.com/probity-run/probity/health/grpchealth"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
	unknown    = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
)

// fixture is a gRPC server with a health that runs, and a client of it.
type fixture struct {
	h      *health.Health
	task   *health.Task
	client healthpb.HealthClient
	end    func() error
}

func start(t *testing.T) fixture {
	t.Helper()
	h := health.New(health.Options{ShutdownDelay: 200 * time.Millisecond, DrainTimeout: 5 * time.Second})
	f := fixture{h: h, task: h.Startup("weights")}
	h.Ready("database", func(context.Context) error { return nil })
	h.Depends("billing", func(context.Context) error { return errors.New("down") })
	server := grpc.NewServer()
	grpchealth.Register(server, h, "shop.v1.Orders")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	f.client = healthpb.NewHealthClient(conn)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() {
		if err := server.Serve(listener); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() { failed = h.Run(ctx) })
	f.end = sync.OnceValue(func() error { cancel(); wg.Wait(); return errors.Join(failed, conn.Close()) })
	t.Cleanup(func() { _ = f.end() })
	return f
}

func (f fixture) check(t *testing.T, name string, want healthpb.HealthCheckResponse_ServingStatus) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		r, err := f.client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
		if err == nil && r.GetStatus() == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("Check %q: %v, %v, want %v", name, r, err, want)
		}
	}
}

func TestCheckAndList(t *testing.T) {
	f := start(t)
	for _, name := range []string{"", "readiness", "startup", "weights", "shop.v1.Orders"} {
		f.check(t, name, notServing)
	}
	f.check(t, "liveness", serving)
	f.task.Done()
	for _, name := range []string{"", "readiness", "startup", "weights", "shop.v1.Orders", "database"} {
		f.check(t, name, serving)
	}
	f.check(t, "billing", notServing)
	if _, err := f.client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "else"}); status.Code(err) != codes.NotFound {
		t.Errorf("Check of an unknown service: %v", err)
	}
	list, err := f.client.List(t.Context(), &healthpb.HealthListRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.GetStatuses()) != 8 || list.GetStatuses()["billing"].GetStatus() != notServing || list.GetStatuses()[""].GetStatus() != serving {
		t.Errorf("List: %v", list)
	}
}

// A stream sends each change, NOT_SERVING when the stop begins, and then ends, so that the server
// can stop.
func TestWatch(t *testing.T) {
	f := start(t)
	stream, err := f.client.Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := f.client.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: "later"})
	if err != nil {
		t.Fatal(err)
	}
	next := func(s healthpb.Health_WatchClient, want healthpb.HealthCheckResponse_ServingStatus) {
		t.Helper()
		r, err := s.Recv()
		if err != nil || r.GetStatus() != want {
			t.Fatalf("Watch: %v, %v, want %v", r, err, want)
		}
	}
	next(stream, notServing)
	next(other, unknown)
	f.task.Done()
	next(stream, serving)
	ended := make(chan error, 1)
	go func() { ended <- f.end() }()
	next(stream, notServing)
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ends with %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
