package connecthealth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"github.com/probity-run/probity/health"
	"github.com/probity-run/probity/health/connecthealth"
)

// fixture is a server of Connect with a health that runs, and clients of it.
type fixture struct {
	h               *health.Health
	task            *health.Task
	connect, asGRPC *grpchealth.Client
	end             func() error
}

func start(t *testing.T) fixture {
	t.Helper()
	h := health.New(health.Options{ShutdownDelay: 200 * time.Millisecond, DrainTimeout: time.Minute})
	f := fixture{h: h, task: h.Startup("weights")}
	h.Ready("database", func(context.Context) error { return nil })
	h.Depends("billing", func(context.Context) error { return errors.New("down") })
	mux := http.NewServeMux()
	mux.Handle(grpchealth.NewHandler(connecthealth.Checker(h, "shop.v1.Orders")))
	server := httptest.NewUnstartedServer(mux)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	h.Drain("http", server.Config.Shutdown)
	http2 := &http.Transport{Protocols: new(http.Protocols)}
	http2.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(http2.CloseIdleConnections)
	f.connect = grpchealth.NewClient(server.Client(), server.URL)
	f.asGRPC = grpchealth.NewClient(&http.Client{Transport: http2}, server.URL, connect.WithGRPC())
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	var failed error
	running.Go(func() { failed = h.Run(ctx) })
	f.end = sync.OnceValue(func() error { cancel(); running.Wait(); server.Close(); return failed })
	t.Cleanup(func() { _ = f.end() })
	return f
}

// status asks both clients until they have the wanted answer.
func (f fixture) status(t *testing.T, service string, want grpchealth.Status) {
	t.Helper()
	for name, client := range map[string]*grpchealth.Client{"connect": f.connect, "grpc": f.asGRPC} {
		var got *grpchealth.CheckResponse
		var err error
		for range 1000 {
			if got, err = client.Check(t.Context(), &grpchealth.CheckRequest{Service: service}); err == nil && got.Status == want {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if err != nil || got.Status != want {
			t.Errorf("%s: service %q is %v, %v, want %v", name, service, got, err, want)
		}
	}
}

func TestCheck(t *testing.T) {
	f := start(t)
	for service, want := range map[string]grpchealth.Status{
		"startup": grpchealth.StatusNotServing, "readiness": grpchealth.StatusNotServing, "": grpchealth.StatusNotServing,
		"shop.v1.Orders": grpchealth.StatusNotServing, "liveness": grpchealth.StatusServing, "weights": grpchealth.StatusNotServing,
	} {
		f.status(t, service, want)
	}
	f.task.Done()
	for service, want := range map[string]grpchealth.Status{
		"startup": grpchealth.StatusServing, "readiness": grpchealth.StatusServing, "": grpchealth.StatusServing,
		"shop.v1.Orders": grpchealth.StatusServing, "database": grpchealth.StatusServing, "billing": grpchealth.StatusNotServing,
	} {
		f.status(t, service, want)
	}
	for name, client := range map[string]*grpchealth.Client{"connect": f.connect, "grpc": f.asGRPC} {
		_, err := client.Check(t.Context(), &grpchealth.CheckRequest{Service: "nobody"})
		if connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("%s: an unknown service gives %v", name, err)
		}
	}
	if err := f.end(); err != nil {
		t.Error(err)
	}
}

// A stream follows the answer, tells that the service stops, and does not hold up the drain.
func TestWatch(t *testing.T) {
	f := start(t)
	events := f.asGRPC.Watch(t.Context(), &grpchealth.CheckRequest{Service: "shop.v1.Orders"})
	expect := func(want grpchealth.Status) {
		t.Helper()
		select {
		case event := <-events:
			if event.Response == nil || event.Response.Status != want {
				t.Fatalf("the stream has %+v, want %v", event, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("the stream does not say %v", want)
		}
	}
	expect(grpchealth.StatusNotServing)
	f.task.Done()
	expect(grpchealth.StatusServing)
	ended := make(chan error, 1)
	begun := time.Now()
	go func() { ended <- f.end() }()
	expect(grpchealth.StatusNotServing)
	if event := <-events; connect.CodeOf(event.Err) != connect.CodeUnavailable {
		t.Errorf("the stream ends with %+v", event)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("the stop took %v: it waited for the stream", took)
	}
	stream := f.asGRPC.Watch(t.Context(), &grpchealth.CheckRequest{Service: "nobody"})
	for event := range stream {
		if event.Err == nil {
			t.Errorf("after the end a stream has %+v", event)
		}
	}
}
