//go:build unix

package proxy

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// isStale reports whether the peer has closed an idle connection, or sent something although it was
// not asked. It takes nothing out of the connection, so it may be called while another goroutine
// reads.
func isStale(conn *net.TCPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	stale := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		stale = !errors.Is(err, unix.EAGAIN)
	})
	return stale || err != nil
}
