package health

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
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
		var lock testLock
		h.LiveLock("cache", &lock, 10*time.Second)
		begin(t, h)
		after(time.Hour)
		expect(t, h, "/livez", 200, "ok\n")
		lock.hold()
		after(12 * time.Second)
		expect(t, h, "/livez", 503, "not live: no heartbeat of cache\n")
		lock.release()
		after(time.Second)
		expect(t, h, "/livez", 200, "ok\n")
	})
}

// A self-check that is removed counts no longer, also if it is failing; its name is free, and its
// goroutine ends.
func TestRemoveSelfCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var lock testLock
		check := h.LiveLock("cache", &lock, 10*time.Second)
		end := begin(t, h)
		after(time.Minute)
		lock.hold()
		after(12 * time.Second)
		expect(t, h, "/livez", 503, "not live: no heartbeat of cache\n")
		check.Remove()
		check.Remove()
		expect(t, h, "/livez", 200, "ok\n")
		lock.release()
		other := h.LiveLock("cache", &testLock{}, 10*time.Second)
		after(time.Hour)
		expect(t, h, "/livez", 200, "ok\n")
		other.Remove()
		h.LiveScheduler(0).Remove() // misuse gives none
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// testLock is a lock on which synctest takes a goroutine for durably blocked, unlike a sync.Mutex.
// While it is held, Lock waits.
type testLock struct {
	mu       sync.Mutex
	released chan struct{} // nil unless it is held
}

func (l *testLock) Lock() {
	l.mu.Lock()
	released := l.released
	l.mu.Unlock()
	if released != nil {
		<-released
	}
}
func (l *testLock) Unlock()  {}
func (l *testLock) hold()    { l.mu.Lock(); l.released = make(chan struct{}); l.mu.Unlock() }
func (l *testLock) release() { l.mu.Lock(); close(l.released); l.released = nil; l.mu.Unlock() }

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

// The accept loop of the main port has ended: the kernel still completes connections, so only an
// answer shows that the port works.
func TestLiveListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	serve := make(chan struct{})
	server := &http.Server{Handler: http.NotFoundHandler()}
	var wg sync.WaitGroup
	wg.Go(func() { <-serve; _ = server.Serve(listener) })
	defer wg.Wait()
	defer server.Close()

	h := New(Options{ShutdownDelay: -1})
	h.LiveListener("main port", listener.Addr().String(), 300*time.Millisecond)
	end := begin(t, h)
	waitFor(t, func() bool { return !h.OK(Liveness) })
	expect(t, h, "/livez", 503, "not live: no heartbeat of main port\n")
	close(serve) // from here on connections are accepted, and 404 is an answer
	waitFor(t, func() bool { return h.OK(Liveness) })
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestListenerThatHangsUp(t *testing.T) {
	listener, err := net.Listen("tcp", freeAddr(t))
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
	if err := checkListener(ctx, listener.Addr().String()); err != nil {
		t.Errorf("a listener that closes the connection fails: %v", err)
	}
	wg.Wait()
	listener.Close()
	if err := checkListener(ctx, listener.Addr().String()); err == nil {
		t.Error("a refused connection passes")
	}
}

// Seven workers that work do not hide the eighth, which hangs; a heartbeat for all would.
func TestLivePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		workers := h.LivePool("worker", 8, 30*time.Second)
		begin(t, h)
		for range 4 {
			for i, worker := range workers {
				if i != 4 {
					worker.Beat()
				}
			}
			after(10 * time.Second)
		}
		expect(t, h, "/livez", 503, "not live: no heartbeat of worker 5\n")
		expect(t, h, "/livez/worker%205", 503, "silent\n")
		expect(t, h, "/livez/worker%204", 200, "ok\n")
		workers[4].Stop()
		expect(t, h, "/livez", 200, "ok\n")
		after(time.Hour)
		expect(t, h, "/livez", 503, "not live: no heartbeat of worker 1, worker 2, worker 3, worker 4, worker 6, worker 7, worker 8\n")
		for _, worker := range workers {
			worker.Idle()
		}
		expect(t, h, "/livez", 200, "ok\n")
	})
	for n, use := range map[string]func(h *Health) []*Heartbeat{
		"it has 0 workers, it must have 1 to 100000": func(h *Health) []*Heartbeat { return h.LivePool("worker", 0, time.Second) },
		"it has -1 workers":                          func(h *Health) []*Heartbeat { return h.LivePool("worker", -1, time.Second) },
		"the limit is 30ns":                          func(h *Health) []*Heartbeat { return h.LivePool("worker", 2, 30) },
		`cannot register "worker 2": the name is taken`: func(h *Health) []*Heartbeat {
			h.Live("worker 2", time.Second)
			return h.LivePool("worker", 2, time.Second)
		},
		`cannot register "a/b 1": a name is made of printable`: func(h *Health) []*Heartbeat { return h.LivePool("a/b", 1, time.Second) },
	} {
		h := New(Options{})
		for _, worker := range use(h) {
			worker.Beat() // a handle that is inert, not a panic
		}
		if err := h.Run(t.Context()); err == nil || !strings.Contains(err.Error(), n) {
			t.Errorf("Run returned %v, want %q", err, n)
		}
	}
}

// The requests that LiveListener sends reach no handler, so that they do not fill an access log.
func TestLiveListenerIsNotLogged(t *testing.T) {
	var logged atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { logged.Add(1) }))
	defer server.Close()
	addr := server.Listener.Addr().String()
	h := New(Options{ShutdownDelay: -1})
	h.LiveListener("main port", addr, time.Second)
	end := begin(t, h)
	beats := func() string { _, body := ask(h, "/livez?verbose"); return body }
	waitFor(t, func() bool { return strings.Contains(beats(), "last heard of") })
	for range 5 {
		if err := checkListener(t.Context(), addr); err != nil {
			t.Error(err)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if logged.Load() != 0 {
		t.Errorf("a handler saw %d requests", logged.Load())
	}
}
