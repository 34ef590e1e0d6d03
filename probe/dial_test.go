package probe

import (
	"net"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe/internal/probetest"
)

// TestDefaultDialLingers reads the option back from the socket (R59).
func TestDefaultDialLingers(t *testing.T) {
	p := probetest.Serve(t, func(_ *probetest.Peer, conn net.Conn) { probetest.Hold(conn) })
	conn, err := DialFunc(nil).orDefault()(t.Context(), "tcp", address("", p.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	socket, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got *unix.Linger
	var failed error
	err = socket.Control(func(fd uintptr) { got, failed = unix.GetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER) })
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if diff := cmp.Diff(&unix.Linger{Onoff: 1, Linger: 1}, got); diff != "" {
		t.Errorf("linger (-want +got):\n%s", diff)
	}
}
