package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/health"
)

func TestComputations(t *testing.T) {
	p := start(t, t.TempDir(), nil)
	p.await("Database connected")
	var kept result
	eventually(t, func() error {
		status, body := p.request("POST", "/compute", `{"x": [1, 2, 3]}`)
		if err := json.Unmarshal([]byte(body), &kept); err != nil || status != http.StatusCreated || kept.ID == "" || kept.Output == 0 {
			return fmt.Errorf("compute answers %d %s (%v), want 201, an id and a result", status, body, err)
		}
		return nil
	})
	p.succeeds("GET", "/results/"+kept.ID, "", http.StatusOK, fmt.Sprint(kept.Output))
	p.succeeds("GET", "/results", "", http.StatusOK, kept.ID)
	p.expect("POST", "/compute?store=false", `{"x": [1, 2, 3]}`, http.StatusOK, fmt.Sprint(kept.Output))
	p.succeeds("GET", "/results/none", "", http.StatusNotFound, "no such result")
	p.expect("GET", "/compute", "", http.StatusMethodNotAllowed, "")
	for _, wrong := range []string{"", "[]", "{}", `{"x": []}`, `{"x": "1"}`, `{"x": [1` + strings.Repeat(",1", maxNumbers) + `]}`} {
		p.expect("POST", "/compute", wrong, http.StatusBadRequest, "error")
	}
	p.expect("POST", "/compute", `{"x": [1e308`+strings.Repeat(",1e308", 100)+`]}`, http.StatusBadRequest, "too large")
	if log := p.await("POST /compute 201 Created"); !strings.Contains(log, `level=INFO msg="POST /compute 201 Created" duration=`) {
		t.Errorf("the computation is not logged at info:\n%s", log)
	}
}

// TestDatabaseIsLost runs the service while another process, played by a second calculator, locks
// its database.
func TestDatabaseIsLost(t *testing.T) {
	data := t.TempDir()
	p := start(t, data, nil)
	p.await("Database connected")
	p.succeeds("GET", "/readyz", "", http.StatusOK, "ok")

	other := start(t, data, nil, "-lock-database", "1h")
	other.await("Database locked")
	p.succeeds("GET", "/readyz", "", http.StatusServiceUnavailable, "not ready: database failing")
	p.succeeds("GET", "/health", "", http.StatusServiceUnavailable, "not ready: database failing")
	p.expect("GET", "/livez", "", http.StatusOK, "ok")
	p.expect("GET", "/startupz", "", http.StatusOK, "ok")
	p.expect("POST", "/compute", `{"x": [1]}`, http.StatusServiceUnavailable, "/compute?store=false")
	p.expect("POST", "/compute?store=false", `{"x": [1]}`, http.StatusOK, "result")
	p.await("Check fails")

	if err := other.stop(); err != nil {
		t.Errorf("the lock ended with %v, want nil", err)
	}
	p.succeeds("GET", "/readyz", "", http.StatusOK, "ok")
	p.succeeds("POST", "/compute", `{"x": [1]}`, http.StatusCreated, "id")
}

// TestDatabaseWasNeverThere runs the service with a database server that refuses connections.
func TestDatabaseWasNeverThere(t *testing.T) {
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer unused.Close()
	go func() { // accepts and hangs up until the test ends, so that nobody else gets the port
		for conn, err := unused.Accept(); err == nil; conn, err = unused.Accept() {
			conn.Close()
		}
	}()
	p := start(t, t.TempDir(), map[string]string{"DATABASE_URL": "postgres://u:secret@" + unused.Addr().String() + "/db?sslmode=disable"})
	p.await("Database cannot be opened")
	p.expect("GET", "/startupz", "", http.StatusOK, "ok")
	p.expect("GET", "/livez", "", http.StatusOK, "ok")
	p.expect("GET", "/readyz", "", http.StatusServiceUnavailable, "")
	p.expect("GET", "/results", "", http.StatusServiceUnavailable, "try again")
	p.expect("GET", "/results/x", "", http.StatusServiceUnavailable, "try again")
	p.expect("POST", "/compute", `{"x": [1]}`, http.StatusServiceUnavailable, "/compute?store=false")
	p.expect("POST", "/compute?store=false", `{"x": [1]}`, http.StatusOK, "result")
	if err := p.stop(); err != nil {
		t.Errorf("stopped with %v, want nil", err)
	}
	if log, _ := p.log(); strings.Contains(log, "secret") {
		t.Errorf("the password is logged:\n%s", log)
	}
}

// TestNoComputationBeforeTheWeights: the daemon answers from the first moment, probes as well as
// those who come too early.
func TestNoComputationBeforeTheWeights(t *testing.T) {
	v := newService(settings{}, &database{log: silent()}, silent())
	routes := (&server{calculator: v.calculator, health: v.health, db: v.db, log: silent()}).routes()
	for _, test := range []struct {
		method, path, want string
		status             int
	}{
		{"POST", "/compute", "the weights are being loaded, /startupz tells how far", http.StatusServiceUnavailable},
		{"GET", "/startupz", "not started", http.StatusServiceUnavailable},
		{"GET", "/readyz", "not ready", http.StatusServiceUnavailable},
		{"GET", "/livez", "ok", http.StatusOK},
	} {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), test.method, test.path, strings.NewReader(`{"x": [1]}`)))
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s %s answers %d %q, want %d and %q", test.method, test.path, w.Code, w.Body, test.status, test.want)
		}
	}
}

// TestShutdownFinishesRequests stops the service while it reads a request.
func TestShutdownFinishesRequests(t *testing.T) {
	p := start(t, t.TempDir(), nil)
	conn, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const body = `{"x": [1]}`
	fmt.Fprintf(conn, "POST /compute?store=false HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body))
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the daemon answers %q, %v; want it to wait for the body", line, err)
	}
	if _, err := answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	p.cancel()
	p.await("msg=Stopping")
	fmt.Fprint(conn, body)
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(answer), "result") {
		t.Errorf("the request in flight is answered %d %q, %v; want its result", resp.StatusCode, answer, err)
	}
	if err := p.stop(); err != nil {
		t.Errorf("stopped with %v, want nil", err)
	}
	if _, err := net.Dial("tcp", p.address()); err == nil {
		t.Error("something still listens")
	}
}

// TestUnreadyWhileDraining looks at the time between SIGTERM and the end, which is virtual.
func TestUnreadyWhileDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := connected(t, settings{data: t.TempDir()})
		v := newService(settings{drain: time.Minute}, db, silent())
		v.weights.Done()
		ctx, terminate := context.WithCancel(t.Context())
		var running sync.WaitGroup
		var ended time.Time
		running.Go(func() {
			if err := v.health.Run(ctx); err != nil {
				t.Errorf("stopped with %v, want nil", err)
			}
			ended = time.Now()
		})
		synctest.Wait()
		if !v.health.OK(health.Readiness) {
			t.Error("not ready before the end")
		}
		begin := time.Now()
		terminate()
		synctest.Wait()
		if v.health.OK(health.Readiness) || !v.health.OK(health.Liveness) {
			t.Errorf("while it drains: %q, live %v; want unready, live", v.health.Report(health.Readiness).Reason, v.health.OK(health.Liveness))
		}
		running.Wait()
		if took := ended.Sub(begin); took != time.Minute {
			t.Errorf("drained for %v, want a minute", took)
		}
	})
}

func TestPortIsTaken(t *testing.T) {
	first := start(t, t.TempDir(), nil)
	_, port, err := net.SplitHostPort(first.address())
	if err != nil {
		t.Fatal(err)
	}
	second := start(t, t.TempDir(), nil, "-port", port)
	if err := <-second.result; err == nil || !strings.Contains(err.Error(), "choose another port") {
		t.Errorf("error = %v, want one that says what to do", err)
	} else {
		second.result <- err
	}
}
