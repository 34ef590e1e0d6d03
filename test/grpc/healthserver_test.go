package grpc

import (
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/test/grpc/oracle"
	"github.com/probity-run/probity/test/healthserver"
)

// probeOnce makes an attempt that has to succeed.
func probeOnce(t *testing.T, port int) {
	t.Helper()
	if r := (probe.GRPC{Host: host, Port: port, Timeout: ample}).Probe(t.Context()); r.Outcome != probe.Success {
		t.Fatalf("result = %v, want success", r)
	}
}

// TestHealthServer: to grpc-go's client, the health server of the other tests is like grpc-go's.
func TestHealthServer(t *testing.T) {
	small := func(code int, message string) healthserver.Check {
		return healthserver.Always(0, &healthserver.Status{Code: code, Message: message})
	}
	real := func(code codes.Code, message string) check { return answers(0, status.Error(code, message)) }
	tests := map[string]struct {
		small healthserver.Check
		real  check
	}{
		"serving":        {healthserver.Always(healthserver.OK, nil), answers(serving, nil)},
		"not serving":    {healthserver.Always(healthserver.NotServing, nil), answers(notServing, nil)},
		"unknown":        {healthserver.Always(healthserver.Unknown, nil), answers(0, nil)},
		"no name":        {healthserver.Always(300, nil), answers(300, nil)},
		"not registered": {nil, nil},
		"not found":      {small(healthserver.CodeNotFound, "unknown service"), real(codes.NotFound, "unknown service")},
		"percent-coded":  {small(healthserver.CodeInternal, "50% ä\n%zz"), real(codes.Internal, "50% ä\n%zz")},
		"an error":       {healthserver.Always(0, errors.New("odd")), answers(0, errors.New("odd"))},
		"unnamed code":   {small(77, ""), real(77, "")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			listener := listen(t)
			server := healthserver.New(test.small)
			served := make(chan error, 1)
			go func() { served <- server.Serve(listener) }()
			defer func() {
				if err := errors.Join(server.Close(), <-served); !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
			}()
			ask := func(port int) result {
				return comparable(oracle.GRPC{Host: host, Port: port, Service: "x", Timeout: ample}.Probe(t.Context()))
			}
			if got, want := ask(listener.Addr().(*net.TCPAddr).Port), ask(serve(t, test.real)); got != want {
				t.Errorf("result = %+v, want %+v", got, want)
			}
		})
	}
}

// TestHealthServerDeadline: the health server knows how much time a call has.
func TestHealthServerDeadline(t *testing.T) {
	listener := listen(t)
	left := make(chan time.Duration, 1)
	server := healthserver.New(func(r *http.Request, service string) (healthserver.Serving, error) {
		deadline, _ := r.Context().Deadline()
		left <- time.Until(deadline)
		return healthserver.OK, nil
	})
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	call := oracle.GRPC{Host: host, Port: listener.Addr().(*net.TCPAddr).Port, Timeout: ample}
	if r := call.Probe(t.Context()); r.Outcome != probe.Success {
		t.Fatalf("result = %v, want success", r)
	}
	if d := <-left; d < ample/2 || d > ample {
		t.Errorf("the call has %v, want nearly %v", d, ample)
	}
}
