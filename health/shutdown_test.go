package health

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The order of the end: unready at once, the delay, drain, and only then no more checks; live
// throughout and after.
func TestShutdownOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: 5 * time.Second})
		// it ends with the service and must not fail liveness then
		h.Live("loop", time.Second).Beat()
		drained := make(chan time.Time, 1)
		h.Drain("server", func(context.Context) error {
			drained <- time.Now()
			time.Sleep(3 * time.Second)
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan time.Time, 1)
		go func() {
			if err := h.Run(ctx); err != nil {
				t.Error(err)
			}
			ended <- time.Now()
		}()
		after(500 * time.Millisecond)
		expect(t, h, "/readyz", 200, "ok\n")
		cancel()
		synctest.Wait()
		stopped := time.Now()
		for range 9 {
			expect(t, h, "/readyz", 503, "stopping\n")
			expect(t, h, "/livez", 200, "ok\n")
			expect(t, h, "/startupz", 200, "ok\n")
			after(time.Second)
		}
		if took := (<-drained).Sub(stopped); took != 5*time.Second {
			t.Errorf("drained %v after the stop, want 5s", took)
		}
		if took := (<-ended).Sub(stopped); took != 8*time.Second {
			t.Errorf("Run returned %v after the stop, want 8s", took)
		}
	})
}

func TestDrainThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1, DrainTimeout: 10 * time.Second})
		broken := errors.New("broken")
		release := make(chan struct{})
		h.Drain("one", func(context.Context) error { return broken })
		h.Drain("two", func(context.Context) error { panic("no queue") })
		h.Drain("three", func(context.Context) error { <-release; return nil })
		h.Drain("four", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		end := begin(t, h)
		after(time.Second)
		err := end()
		close(release)
		if !errors.Is(err, broken) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run returned %v", err)
		}
		for _, want := range []string{"cannot drain one: broken", "cannot drain two: it panicked: no queue", "cannot stop three"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("no %q in %v", want, err)
			}
		}
	})
}

// What was removed is not called, and what has the same name is.
func TestRemoveDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		var called []string
		drain := func(what string) *Drain {
			return h.Drain("http", func(context.Context) error { called = append(called, what); return nil })
		}
		old := drain("old")
		end := begin(t, h)
		drain("new")
		old.Remove()
		old.Remove()
		(*Drain)(nil).Remove()
		if err := end(); err != nil || !slices.Equal(called, []string{"new"}) {
			t.Errorf("called %q, Run returned %v", called, err)
		}
	})
}

// Functions that ignore the end of their context are named, and do not hold up Run for ever.
func TestStragglersAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		release := make(chan struct{})
		h.Ready("database", func(context.Context) error { <-release; return nil })
		end := begin(t, h)
		after(time.Second)
		begun := time.Now()
		err := end()
		if err == nil || !strings.Contains(err.Error(), "cannot stop database") {
			t.Errorf("Run returned %v", err)
		}
		if took := time.Since(begun); took != joinLimit {
			t.Errorf("Run took %v to end, want %v", took, joinLimit)
		}
		close(release)
	})
}

func TestPreStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: 5 * time.Second})
		early := httptest.NewRecorder()
		h.PreStop(early, httptest.NewRequest(http.MethodGet, "/", nil))
		if early.Code != 503 {
			t.Errorf("PreStop before Run answers %d, want 503", early.Code)
		}
		end := begin(t, h)
		after(time.Second)
		var hook sync.WaitGroup
		begun := time.Now()
		hook.Go(func() {
			w := httptest.NewRecorder()
			h.PreStop(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
			if took := time.Since(begun); w.Code != 200 || took != 5*time.Second {
				t.Errorf("PreStop answers %d after %v, want 200 after 5s", w.Code, took)
			}
		})
		synctest.Wait()
		expect(t, h, "/readyz", 503, "stopping\n")
		hook.Wait()
		if err := end(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("the stop took %v, want 5s: SIGTERM must find the delay spent", took)
		}
	})
}

// For real: a request that came before the stop is answered, one that comes in the delay too, and
// then the port is closed.
func TestServe(t *testing.T) {
	addr := freeAddr(t)
	// it must be long enough for the requests that come in it
	h := New(Options{ShutdownDelay: 5 * time.Second, DrainTimeout: 30 * time.Second})
	var inside atomic.Bool
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { inside.Store(true); <-release })
	mux.Handle("/", h.Handler())
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, &http.Server{Addr: addr, Handler: mux}) }()
	waitFor(t, func() bool { return get(addr, "/readyz") == 200 })
	slow := make(chan int, 1)
	go func() { slow <- get(addr, "/slow") }()
	waitFor(t, inside.Load)
	cancel()
	waitFor(t, func() bool { return get(addr, "/readyz") == 503 })
	if got := get(addr, "/livez"); got != 200 {
		t.Errorf("/livez answers %d in the delay", got)
	}
	waitFor(t, func() bool { return get(addr, "/livez") == 0 }) // drain: no new connections
	close(release)
	if got := <-slow; got != 200 {
		t.Errorf("the request in flight was answered with %d", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestServeThatCannot(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	addr := listener.Addr().String()
	if err := New(Options{}).Serve(t.Context(), &http.Server{Addr: addr}); err == nil || !strings.Contains(err.Error(), "cannot serve") {
		t.Errorf("the port is taken, Serve returned %v", err)
	}
	if err := New(Options{Addr: addr}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot listen for probes") {
		t.Errorf("the port is taken, Run returned %v", err)
	}
	if err := New(Options{}).Serve(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "there is no server") {
		t.Errorf("without a server Serve returned %v", err)
	}
	h := New(Options{})
	h.Ready("", nil)
	if err := h.Serve(t.Context(), &http.Server{Addr: "127.0.0.1:0"}); err == nil {
		t.Error("Serve of a misused Health returned nil")
	}
}

// get returns the status of an answer on a new connection, or 0.
func get(addr, path string) int {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	response, err := client.Get("http://" + addr + path)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestJournalNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &slowLog{release: make(chan struct{})}
		h := New(Options{ShutdownDelay: -1, Log: log.logger()})
		var failing atomic.Bool
		database := h.Ready("database", func(context.Context) error {
			if failing.Load() {
				return errDown
			}
			return nil
		}, CheckOptions{Period: time.Second})
		begin(t, h)
		for i := range 1000 {
			failing.Store(i%2 == 0)
			database.Report(errDown) // so that it runs now
			after(2 * time.Second)
			if h.OK(Readiness) == failing.Load() {
				t.Fatalf("turn %d: a blocked log holds up the truth", i)
			}
		}
		close(log.release)
		synctest.Wait()
		messages := log.messages()
		if !slices.Contains(messages, "Log is slow, lines were lost") || !slices.Contains(messages, "Check fails") || len(messages) > logQueueSize+10 {
			t.Errorf("%d lines: %q …", len(messages), messages[:min(5, len(messages))])
		}
	})
}
