package proxy

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// impatientServer forwards to one replica, and closes connections to it that nobody has used for
// the timeout.
func impatientServer(t *testing.T, timeout time.Duration) (url string, open *atomic.Int64) {
	t.Helper()
	fx := startWith(t, Options{}, func(p *Proxy) { p.upstreams.idleTimeout, p.sweeper.period = timeout, min(timeout, sweepPeriod) })
	front := fx.service("web")
	origin := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	open = new(atomic.Int64)
	origin.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	origin.Start()
	t.Cleanup(func() {
		fx.stop() // before the replica, which waits for connections
		origin.Close()
	})
	fx.endpoints("web", at("a", origin.Listener.Addr().String()))
	return "http://" + front, open
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	url, open := impatientServer(t, 20*time.Millisecond)
	client := client(t)
	for range 3 {
		if code, body := get(client, url); code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
		eventually(t, "the connection is closed", func() bool { return open.Load() == 0 })
	}
}

// TestNothingIsLostToIdleness uses connections just when they are about to be closed.
func TestNothingIsLostToIdleness(t *testing.T) {
	url, _ := impatientServer(t, time.Millisecond)
	client := client(t)
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for n := range 250 {
				method, body := http.MethodGet, ""
				if n%2 == 0 {
					method, body = http.MethodPost, "x"
				}
				if code, text := do(client, method, url, body); code != http.StatusOK {
					t.Errorf("%s: %d %s", method, code, text)
					return
				}
				// the fault: an idle time close to the timeout
				time.Sleep(time.Duration((n*7+worker*13)%20) * 100 * time.Microsecond)
			}
		})
	}
	all.Wait()
}
