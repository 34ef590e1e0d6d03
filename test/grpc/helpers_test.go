package grpc

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/engine"
	"github.com/probity-run/probity/test/grpc/oracle"
)

const (
	host   = "127.0.0.1"
	ample  = 20 * time.Second       // a time-out that no test should reach
	staged = 600 * time.Millisecond // one to reach after something else has happened
)

// check is what a health service answers.
type check func(ctx context.Context, service string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error)

// answers returns a health service that always says the same.
func answers(serving grpc_health_v1.HealthCheckResponse_ServingStatus, err error) check {
	return func(context.Context, string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
		return serving, err
	}
}

type healthService struct {
	grpc_health_v1.UnimplementedHealthServer
	check check
}

// Check implements [grpc_health_v1.HealthServer].
func (s healthService) Check(ctx context.Context, req *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	serving, err := s.check(ctx, req.GetService())
	if err != nil {
		return nil, err
	}
	return &grpc_health_v1.HealthCheckResponse{Status: serving}, nil
}

// serve starts a server of grpc-go on 127.0.0.1 and returns its port. A nil check leaves the health
// service out. All ends with the test.
func serve(t testing.TB, c check, options ...grpc.ServerOption) int {
	t.Helper()
	server := grpc.NewServer(options...)
	if c != nil {
		grpc_health_v1.RegisterHealthServer(server, healthService{check: c})
	}
	return serveOn(t, server)
}

// serveOn lets a server serve until the end of the test, and returns its port.
func serveOn(t testing.TB, server *grpc.Server) int {
	t.Helper()
	listener := listen(t)
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

func listen(t testing.TB) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// newEngine returns an engine that ends with the test.
func newEngine(t testing.TB) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// attempts are the results of the three ways of asking the same.
type attempts struct{ oracle, plain, engine probe.Result }

// ask makes the three attempts at the same time.
func ask(t testing.TB, e *engine.Engine, call oracle.GRPC) (a attempts) {
	t.Helper()
	p := probe.GRPC{Host: call.Host, Port: call.Port, Service: call.Service, Timeout: call.Timeout}
	var all sync.WaitGroup
	all.Go(func() { a.oracle = call.Probe(t.Context()) })
	all.Go(func() { a.plain = p.Probe(t.Context()) })
	all.Go(func() { a.engine = e.Prepare(p).Probe(t.Context()) })
	all.Wait()
	return a
}

// agree demands that the three attempts have one result, and that its text contains want.
func (a attempts) agree(t testing.TB, want string) {
	t.Helper()
	oracle := comparable(a.oracle)
	if diff := cmp.Diff(oracle, comparable(a.plain)); diff != "" {
		t.Errorf("results differ (-grpc-go +probe):\n%s", diff)
	}
	if diff := cmp.Diff(oracle, comparable(a.engine)); diff != "" {
		t.Errorf("results differ (-grpc-go +engine):\n%s", diff)
	}
	if text := a.oracle.String() + a.oracle.Output; !strings.Contains(text, want) {
		t.Errorf("result = %q, want it to contain %q", text, want)
	}
}

// result is a [probe.Result] that can be compared.
type result struct {
	Outcome probe.Outcome
	Output  string
	Err     string
}

// comparable returns a result without what is a matter of chance: protobuf writes some blanks as
// U+00A0 in some builds.
func comparable(r probe.Result) result {
	text := result{Outcome: r.Outcome, Output: strings.ReplaceAll(r.Output, "\u00a0", " ")}
	if r.Err != nil {
		text.Err = r.Err.Error()
	}
	return text
}
