package health

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		task := h.Startup("weights")
		loop := h.Live("queue loop", 30*time.Second)
		begin(t, h)
		after(time.Hour)
		expect(t, h, "/livez", 200, "ok\n") // not judged before the start is over
		task.Done()
		after(30*time.Second - time.Millisecond)
		expect(t, h, "/livez", 200, "ok\n")
		after(time.Millisecond)
		// a loop that never begins is noticed
		expect(t, h, "/livez", 503, "not live: no heartbeat of queue loop\n")
		expect(t, h, "/readyz", 200, "ok\n") // unrelated (R100)
		loop.Beat()
		expect(t, h, "/livez", 200, "ok\n")
		for range 10 {
			after(29 * time.Second)
			loop.Beat()
			expect(t, h, "/livez", 200, "ok\n")
		}
		after(30 * time.Second)
		expect(t, h, "/livez", 503, "not live: no heartbeat of queue loop\n")
		if _, body := ask(h, "/livez?verbose"); !strings.Contains(body, "last heard of 30s ago, limit 30s") {
			t.Errorf("no figures:\n%s", body)
		}
	})
}

// An idle loop is not a dead one, and a hang after idling is noticed in time.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		loop := h.Live("queue loop", 30*time.Second)
		begin(t, h)
		loop.Idle()
		after(10*time.Hour + 7*time.Second)
		expect(t, h, "/livez", 200, "ok\n")
		loop.Beat()
		after(30*time.Second - time.Millisecond)
		expect(t, h, "/livez", 200, "ok\n")
		after(time.Millisecond)
		expectCode(t, h, "/livez", 503)
		loop.Idle()
		expect(t, h, "/livez", 200, "ok\n")
		loop.Beat()
		after(time.Minute)
		loop.Stop()
		expect(t, h, "/livez", 200, "ok\n")
		again := h.Live("queue loop", time.Second) // the name is free
		loop.Beat()                                // nothing: it has stopped
		again.Beat()
		after(time.Minute)
		expectCode(t, h, "/livez", 503)
	})
}

func TestLiveLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var wall wall
		h.LiveLock("cache", &wall, 10*time.Second)
		begin(t, h)
		after(time.Hour)
		expect(t, h, "/livez", 200, "ok\n")
		wall.close()
		after(12 * time.Second)
		expect(t, h, "/livez", 503, "not live: no heartbeat of cache\n")
		wall.open()
		after(time.Second)
		expect(t, h, "/livez", 200, "ok\n")
	})
}

// wall is a lock that is durably blocked in the eyes of synctest, as a sync.Mutex is not.
type wall struct {
	mu   sync.Mutex
	gate chan struct{}
}

func (w *wall) Lock() {
	w.mu.Lock()
	gate := w.gate
	w.mu.Unlock()
	if gate != nil {
		<-gate
	}
}
func (w *wall) Unlock() {}
func (w *wall) close()  { w.mu.Lock(); w.gate = make(chan struct{}); w.mu.Unlock() }
func (w *wall) open()   { w.mu.Lock(); close(w.gate); w.gate = nil; w.mu.Unlock() }

func TestScheduler(t *testing.T) {
	if err := punctual(time.Second, 1999*time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := punctual(time.Second, 2*time.Second); err == nil {
		t.Error("a timer of 1 s that took 2 s is punctual")
	}
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		h.LiveScheduler(10 * time.Second)
		begin(t, h)
		after(time.Hour)
		expect(t, h, "/livez", 200, "ok\n")
	})
}

func TestLoopback(t *testing.T) {
	for addr, want := range map[string]string{
		":8080": "127.0.0.1:8080", "0.0.0.0:80": "127.0.0.1:80", "[::]:80": "[::1]:80", "localhost:1": "127.0.0.1:1", "127.0.0.2:9": "127.0.0.2:9", "[::1]:9": "[::1]:9",
		"10.0.0.1:80": "", "db.example:5432": "", ":0": "", ":http": "", "8080": "", "": "",
	} {
		got, err := loopback(addr)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("loopback(%q) = %q, %v, want %q", addr, got, err, want)
		}
	}
}

// A business port whose accept loop is dead: the kernel still completes connections, so only an
// answer proves life.
func TestLiveListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	gate := make(chan struct{})
	server := &http.Server{Handler: http.NotFoundHandler()}
	var wg sync.WaitGroup
	wg.Go(func() { <-gate; _ = server.Serve(listener) })
	defer wg.Wait()
	defer server.Close()

	h := New(Options{ShutdownDelay: -1})
	h.LiveListener("main port", listener.Addr().String(), 300*time.Millisecond)
	end := begin(t, h)
	waitFor(t, func() bool { return !h.OK(Liveness) })
	expect(t, h, "/livez", 503, "not live: no heartbeat of main port\n")
	close(gate) // from here on somebody accepts, and 404 is an answer
	waitFor(t, func() bool { return h.OK(Liveness) })
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestKnockOnSomebodyWhoHangsUp(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if conn, err := listener.Accept(); err == nil {
			conn.Close()
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := knock(ctx, listener.Addr().String()); err != nil {
		t.Errorf("who hangs up is alive: %v", err)
	}
	wg.Wait()
	listener.Close()
	if err := knock(ctx, listener.Addr().String()); err == nil {
		t.Error("a refused connection is a sign of life")
	}
}
