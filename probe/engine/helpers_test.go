package engine_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/probetest"
)

const (
	ample = 20 * time.Second       // a time-out that no test should reach
	brief = 150 * time.Millisecond // one that the test wants to reach
	// one to reach after something else has happened on a busy machine
	staged = 600 * time.Millisecond
)

// TestMain fails the whole run if something is left behind.
func TestMain(m *testing.M) { probetest.Main(m) }

type proberFunc func(ctx context.Context) probe.Result

func (f proberFunc) Probe(ctx context.Context) probe.Result { return f(ctx) }

// dribble returns a script that sends the bytes a few at a time.
func dribble(response string, step int) func(p *probetest.Peer, conn net.Conn) {
	return func(p *probetest.Peer, conn net.Conn) {
		p.ReadHead(conn)
		for rest := []byte(response); len(rest) > 0; time.Sleep(time.Millisecond) {
			n := min(step, len(rest))
			if _, err := conn.Write(rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
	}
}

// serveHTTP starts a net/http server and returns its port.
func serveHTTP(t testing.TB, handler http.Handler, secure bool) int {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server.Listener.Addr().(*net.TCPAddr).Port
}
