// Package connecthealth answers the gRPC health protocol (grpc.health.v1) from a [health.Health] on
// a server of Connect, which serves gRPC, gRPC-Web and Connect by net/http:
//
//	mux.Handle(grpchealth.NewHandler(connecthealth.Checker(h, "shop.v1.Orders")))
//
// The services "startup", "readiness" and "liveness" answer Kubernetes' three probes; they are for
// the field service of a grpc probe, which needs HTTP/2 without TLS (http.Server.Protocols). The
// empty name, and each that is given to [Checker], answers readiness, as load balancers and clients
// expect. Every check, task and heartbeat can be asked for by its own name as well, unless it has
// one of the names above.
package connecthealth

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"github.com/probity-run/probity/health"
)

// Checker returns what grpchealth.NewHandler needs: Check, and Watch whose streams follow h. When h
// stops, everything is not serving at once; when it drains, which is after ShutdownDelay, the
// streams end, as otherwise http.Server.Shutdown would wait for them. The services are those whose
// clients ask for their health by name.
func Checker(h *health.Health, services ...string) grpchealth.Watcher {
	c := &checker{h: h, ended: make(chan struct{}), probes: map[string]health.Probe{
		"": health.Readiness, "startup": health.Startup, "readiness": health.Readiness, "liveness": health.Liveness,
	}}
	for _, name := range services {
		c.probes[name] = health.Readiness
	}
	end := sync.OnceFunc(func() { close(c.ended) })
	h.Drain("health streams", func(context.Context) error { end(); return nil })
	return c
}

// checker implements [grpchealth.Watcher]. Safe for concurrent use.
type checker struct {
	h      *health.Health
	probes map[string]health.Probe // by service name; never changed
	ended  chan struct{}           // closed when streams have to end
}

// Check implements [grpchealth.Checker]. The handler of Watch calls it too, and its error ends the
// stream.
func (c *checker) Check(_ context.Context, r *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	select {
	case <-c.ended:
		return nil, connect.NewError(connect.CodeUnavailable, errors.New("the server is stopping"))
	default:
	}
	serving, ok := c.serving(r.Service)
	if !ok {
		return nil, connect.NewError(connect.CodeNotFound, fmt.Errorf("there is no service %q", r.Service))
	}
	if serving {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
}

// Watch implements [grpchealth.Watcher]: it calls changed whenever an answer may have changed, in a
// goroutine that stop ends and joins.
func (c *checker) Watch(ctx context.Context, r *grpchealth.CheckRequest, changed func()) (stop func(), err error) {
	next := c.h.Changed() // before the handler asks for the first time, so that no change is missed
	if _, err := c.Check(ctx, r); err != nil {
		return nil, err
	}
	stopped := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-next:
				next = c.h.Changed()
				changed()
			case <-c.ended:
				changed() // Check returns the error that ends the stream
				return
			case <-stopped:
				return
			}
		}
	})
	return func() { close(stopped); watching.Wait() }, nil
}

// serving reports whether a service is healthy, and whether there is one of that name.
func (c *checker) serving(name string) (serving, ok bool) {
	if p, ok := c.probes[name]; ok {
		return c.h.OK(p), true
	}
	for _, p := range []health.Probe{health.Readiness, health.Liveness, health.Startup} {
		for _, s := range c.h.Report(p).Checks {
			if s.Name == name {
				return s.State == "ok", true
			}
		}
	}
	return false, false
}
