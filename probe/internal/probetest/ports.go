package probetest

import (
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"
)

// RefusedPort returns a port of 127.0.0.1 that refuses connections and that nobody else can get
// during the test: it is bound, but nothing listens.
func RefusedPort(t testing.TB) int {
	t.Helper()
	return boundPort(t, -1)
}

// FullBacklog returns a port of 127.0.0.1 that answers no further connection: its queue is full and
// nobody accepts.
func FullBacklog(t testing.TB) int {
	t.Helper()
	port := boundPort(t, 0)
	// every queue has room for one, which a busy machine may take a while for
	for limit := time.Duration(0); ; limit = 100 * time.Millisecond {
		dialer := net.Dialer{Timeout: limit}
		conn, err := dialer.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		switch {
		case err == nil:
			t.Cleanup(func() { conn.Close() })
		case limit == 0:
			t.Fatal(err)
		default:
			return port
		}
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
