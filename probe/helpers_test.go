package probe

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	ample = 20 * time.Second       // a time-out that no test should reach
	brief = 150 * time.Millisecond // one that the test wants to reach
	// staged is one that the test wants to reach after something else has happened on a busy machine.
	staged = 600 * time.Millisecond
)

// TestMain fails the whole run if a goroutine is left behind.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(code) // the fuzzing engine has goroutines of its own
	}
	if err := waitFor(func() bool { return runtime.NumGoroutine() <= before }); err != nil && code == 0 {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", stacks[:runtime.Stack(stacks, true)])
		code = 1
	}
	os.Exit(code)
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
func (p *peer) readHead(conn net.Conn) string {
	var head strings.Builder
	for lines := bufio.NewReader(conn); ; {
		line, err := lines.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heads = append(p.heads, head.String())
	return head.String()
}

func (p *peer) counts() (accepted, requests int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted, len(p.heads)
}

func (p *peer) lastHead() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.heads) == 0 {
		return ""
	}
	return p.heads[len(p.heads)-1]
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

// hold returns when the client has closed the connection, or the test is over.
func hold(conn net.Conn) {
	for buf := make([]byte, 1<<10); ; {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

// reset closes the connection with a RST.
func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// refusedPort returns a port of 127.0.0.1 that refuses connections and that nobody else can get during the test: it is
// bound, but nothing listens.
func refusedPort(t testing.TB) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return bound.(*syscall.SockaddrInet4).Port
}

// expectation is what a test wants of a Result. In all texts {addr} stands for the target's host and port.
type expectation struct {
	outcome  Outcome
	output   string // exact, unless contains is set
	contains string // part of the output
	err      string // exact text of Err; empty: no Err
}

func (want expectation) check(t *testing.T, got Result, addr string) {
	t.Helper()
	fill := func(text string) string { return strings.ReplaceAll(text, "{addr}", addr) }
	if got.Outcome != want.outcome {
		t.Errorf("outcome = %v, want %v", got.Outcome, want.outcome)
	}
	if text := fmt.Sprint(got.Err); (got.Err != nil || want.err != "") && text != fill(want.err) {
		t.Errorf("error = %q, want %q", text, fill(want.err))
	}
	switch {
	case want.contains != "" && !strings.Contains(got.Output, fill(want.contains)):
		t.Errorf("output = %q, want it to contain %q", got.Output, fill(want.contains))
	case want.contains == "" && got.Output != fill(want.output):
		t.Errorf("output = %q, want %q", got.Output, fill(want.output))
	}
}

// checkStopped verifies that an attempt was ended by its owner and does not count.
func checkStopped(t *testing.T, got Result, cause error) {
	t.Helper()
	if got.Outcome != Unknown || !errors.Is(got.Err, ErrStopped) || !errors.Is(got.Err, cause) {
		t.Errorf("result = %v with error %v, want unknown with ErrStopped and %v", got.Outcome, got.Err, cause)
	}
}
