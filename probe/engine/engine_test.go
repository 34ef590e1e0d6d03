package engine_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/engine"
	"github.com/probity-run/probity/probe/internal/probetest"
	"github.com/probity-run/probity/test/healthserver"
)

// silent returns Probers of both paths whose attempts hang until they are ended.
func silent(t *testing.T) map[string]probe.Prober {
	p := probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Hold(conn) })
	return map[string]probe.Prober{
		"HTTP":      probe.HTTPGet{Port: p.Port, Timeout: time.Minute},
		"gRPC":      probe.GRPC{Port: p.Port, Timeout: ample},
		"goroutine": proberFunc(func(ctx context.Context) probe.Result { <-ctx.Done(); return probe.Result{Err: ctx.Err()} }),
	}
}

// TestCancel: after a cancel in time, done is not called.
func TestCancel(t *testing.T) {
	e := newEngine(t)
	for name, p := range silent(t) {
		t.Run(name, func(t *testing.T) {
			cancel := e.Go(p, func(r probe.Result) { t.Errorf("done was called with %v", r) })
			if !cancel() {
				t.Error("cancel came too late, want in time")
			}
			if cancel() {
				t.Error("the second cancel came in time, want too late")
			}
		})
	}
}

// TestCancelTooLate: a cancel after the result, even within done, says so.
func TestCancelTooLate(t *testing.T) {
	e := newEngine(t)
	var cancel func() bool
	started, inDone := make(chan struct{}), make(chan bool)
	cancel = e.Go(probe.TCPSocket{Port: probetest.RefusedPort(t)}, func(probe.Result) { <-started; inDone <- cancel() })
	close(started)
	if <-inDone {
		t.Error("cancel within done came in time, want too late")
	}
}

func TestProbeStopped(t *testing.T) {
	e := newEngine(t)
	for name, p := range silent(t) {
		t.Run(name, func(t *testing.T) {
			cause := errors.New("pod deleted")
			ctx, cancel := context.WithCancelCause(t.Context())
			stop := time.AfterFunc(10*time.Millisecond, func() { cancel(cause) })
			defer stop.Stop()
			if got := e.Prepare(p).Probe(ctx); !errors.Is(got.Err, probe.ErrStopped) || !errors.Is(got.Err, cause) {
				t.Errorf("error = %v, want ErrStopped with the cause", got.Err)
			}
			if got := e.Prepare(p).Probe(ctx); !errors.Is(got.Err, cause) {
				t.Errorf("error = %v with a context that is done, want its cause", got.Err)
			}
		})
	}
}

// TestClose ends attempts in flight, and everything that comes later.
func TestClose(t *testing.T) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ended atomic.Int32
	done := func(r probe.Result) {
		if !errors.Is(r.Err, probe.ErrStopped) || !errors.Is(r.Err, engine.ErrClosed) {
			t.Errorf("result = %v, want the engine to be closed", r)
		}
		ended.Add(1)
	}
	var begun int32
	for _, p := range silent(t) {
		for range 10 {
			e.Go(p, done)
			begun++
		}
		e.Every(p, time.Hour, 0, func(r engine.Report) { done(r.Result) })
	}
	e.Close()
	e.Close()
	if n := ended.Load(); n < begun {
		t.Errorf("%d attempts ended with the engine, want at least %d", n, begun)
	}
	before := ended.Load()
	cancel := e.Go(probe.TCPSocket{Port: 1}, done)
	stop := e.Every(probe.TCPSocket{Port: 1}, time.Second, 0, func(engine.Report) { t.Error("a closed engine made an attempt") })
	if ended.Load() != before+1 || cancel() {
		t.Error("an attempt on a closed engine did not end at once")
	}
	stop()
}

// TestThousandAtOnce has many attempts of all kinds in flight.
func TestThousandAtOnce(t *testing.T) {
	e := newEngine(t)
	web := probetest.Serve(t, probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	foreign := probetest.Serve(t, probetest.Answer("HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	health := probetest.ServeHealth(t, healthserver.Always(healthserver.OK, nil))
	probers := []*engine.Probe{
		e.Prepare(probe.HTTPGet{Port: web.Port, Timeout: ample}),
		e.Prepare(probe.HTTPGet{Port: foreign.Port, Timeout: ample}),
		e.Prepare(probe.TCPSocket{Port: web.Port, Timeout: ample}),
		e.Prepare(probe.GRPC{Port: health, Timeout: ample}),
	}
	var pending sync.WaitGroup
	for i := range 1000 {
		pending.Add(1)
		e.Go(probers[i%len(probers)], func(r probe.Result) {
			defer pending.Done()
			if r.Outcome != probe.Success || r.Err != nil {
				t.Errorf("attempt %d = %v, want success", i, r)
			}
		})
	}
	pending.Wait()
}

// TestShortage lets descriptors run out: that is not the service's fault. The limit is the
// process's, so the test is not parallel.
func TestShortage(t *testing.T) {
	e := newEngine(t)
	p := probetest.Serve(t, probetest.Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	probers := map[string]*engine.Probe{
		"HTTP": e.Prepare(probe.HTTPGet{Port: p.Port, Timeout: ample}),
		"TCP":  e.Prepare(probe.TCPSocket{Port: p.Port, Timeout: ample}),
		"gRPC": e.Prepare(probe.GRPC{Port: p.Port, Timeout: ample}),
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	results := make(map[string]probe.Result)
	for name, p := range probers {
		results[name] = p.Probe(t.Context())
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	for name, r := range results {
		if r.Outcome != probe.Unknown || !errors.Is(r.Err, probe.ErrShortage) {
			t.Errorf("%s result = %v, want a shortage", name, r)
		}
	}
	if r := probers["HTTP"].Probe(t.Context()); r.Outcome != probe.Success {
		t.Errorf("result = %v when the shortage is over, want success", r)
	}
}

// TestEarlyAnswer: a server may answer, and close, before it has read all of a long request.
func TestEarlyAnswer(t *testing.T) {
	e := newEngine(t)
	p := probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) {
		_, _ = conn.Write([]byte("HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n"))
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.CopyN(io.Discard, conn, 1<<20)
	})
	get := probe.HTTPGet{Port: p.Port, Timeout: ample, Headers: []probe.Header{{Name: "X-A", Value: strings.Repeat("a", 8<<20)}}}
	got := e.Prepare(get).Probe(t.Context())
	// the status, or that the connection broke: that is a race in net/http too
	if got.Outcome != probe.Failure {
		t.Errorf("result = %v, want a failure", got)
	}
}

// TestEndsWithFIN: what a TCP or gRPC attempt leaves behind is an end of file, not a reset.
func TestEndsWithFIN(t *testing.T) {
	e := newEngine(t)
	ended := make(chan error, 1)
	p := probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) {
		n, err := conn.Read(make([]byte, 1))
		if n > 0 {
			err = errors.New("received something")
		}
		ended <- err
	})
	for range 100 {
		r := e.Prepare(probe.TCPSocket{Port: p.Port, Timeout: ample}).Probe(t.Context())
		if r.Detail = (probe.Detail{}); r != (probe.Result{Outcome: probe.Success}) {
			t.Fatalf("result = %+v, want success without output", r)
		}
		if err := <-ended; err == nil || err.Error() != "EOF" {
			t.Fatalf("the service read %v, want EOF", err)
		}
	}
}
