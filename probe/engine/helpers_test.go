package engine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/probe"
)

const (
	ample  = 20 * time.Second       // a time-out that no test should reach
	brief  = 150 * time.Millisecond // one that the test wants to reach
	staged = 600 * time.Millisecond // one to reach after something else has happened on a busy machine
)

// TestMain fails the whole run if a goroutine or a descriptor is left behind.
func TestMain(m *testing.M) {
	goroutines, files := runtime.NumGoroutine(), descriptors()
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(code) // the fuzzing engine has goroutines of its own
	}
	if err := waitFor(func() bool { return runtime.NumGoroutine() <= goroutines }); err != nil && code == 0 {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", stacks[:runtime.Stack(stacks, true)])
		code = 1
	}
	// The runtime's own poller takes a few descriptors when it is first used.
	if err := waitFor(func() bool { return descriptors() <= files+3 }); err != nil && code == 0 {
		fmt.Fprintf(os.Stderr, "descriptors left behind: %d before, %d after\n", files, descriptors())
		code = 1
	}
	os.Exit(code)
}

// descriptors counts the open files of this process, where the system tells.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// waitFor polls until the condition holds, for ten seconds.
func waitFor(condition func() bool) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return nil
		}
	}
	return errors.New("condition not met within 10s")
}

type proberFunc func(ctx context.Context) probe.Result

func (f proberFunc) Probe(ctx context.Context) probe.Result { return f(ctx) }

// peer is a scripted TCP server on loopback.
type peer struct {
	port int

	mu       sync.Mutex // guards the fields below
	accepted int
	heads    []string // what readHead returned, in order
	remotes  []string // client addresses
}

// serve starts a server that runs the script on each connection and closes it afterwards. All ends with the test.
func serve(t testing.TB, script func(p *peer, conn net.Conn)) *peer {
	t.Helper()
	return serveOn(t, "127.0.0.1:0", script)
}

func serveOn(t testing.TB, addr string, script func(p *peer, conn net.Conn)) *peer {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{port: listener.Addr().(*net.TCPAddr).Port}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.accepted++
			p.remotes = append(p.remotes, conn.RemoteAddr().String())
			p.mu.Unlock()
			running.Go(func() {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				script(p, conn)
			})
		}
	})
	t.Cleanup(func() { listener.Close(); cancel(); running.Wait() })
	return p
}

// readHead reads a request up to the empty line and records it.
func (p *peer) readHead(conn net.Conn) {
	var head strings.Builder
	for buf := make([]byte, 4<<10); !strings.HasSuffix(head.String(), "\r\n\r\n"); {
		n, err := conn.Read(buf)
		head.Write(buf[:n])
		if err != nil {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heads = append(p.heads, head.String())
}

func (p *peer) counts() (accepted, requests int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted, len(p.heads)
}

// answer returns a script that reads one request and sends the bytes.
func answer(response string) func(p *peer, conn net.Conn) {
	return func(p *peer, conn net.Conn) {
		p.readHead(conn)
		_, _ = conn.Write([]byte(response)) // the client may be gone, which is what some tests are about
	}
}

// answerAndHold returns a script that sends the bytes and keeps the connection open until the client closes it.
func answerAndHold(response string) func(p *peer, conn net.Conn) {
	return func(p *peer, conn net.Conn) {
		answer(response)(p, conn)
		hold(conn)
	}
}

// dribble returns a script that sends the bytes a few at a time.
func dribble(response string, step int) func(p *peer, conn net.Conn) {
	return func(p *peer, conn net.Conn) {
		p.readHead(conn)
		for rest := []byte(response); len(rest) > 0; time.Sleep(time.Millisecond) {
			n := min(step, len(rest))
			if _, err := conn.Write(rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
	}
}

// hold returns when the client has closed the connection, or the test is over.
func hold(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// reset closes the connection with a RST.
func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
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

// refusedPort returns a port of 127.0.0.1 that refuses connections: it is bound, but nothing listens.
func refusedPort(t testing.TB) int {
	t.Helper()
	return boundPort(t, -1)
}

// fullBacklog returns a port of 127.0.0.1 that answers no further connection: its queue is full and nobody accepts.
func fullBacklog(t testing.TB) int {
	t.Helper()
	port := boundPort(t, 0)
	for {
		dialer := net.Dialer{Timeout: 100 * time.Millisecond}
		conn, err := dialer.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return port
		}
		t.Cleanup(func() { conn.Close() })
	}
}

// boundPort binds a port for the test, and listens with the backlog if that is not negative.
func boundPort(t testing.TB, backlog int) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if backlog >= 0 {
		if err := syscall.Listen(fd, backlog); err != nil {
			t.Fatal(err)
		}
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return bound.(*syscall.SockaddrInet4).Port
}
