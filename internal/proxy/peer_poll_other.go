//go:build unix && !linux

package proxy

import (
	"net"

	"golang.org/x/sys/unix"
)

// lookAtPeer looks at the peer of a connection. Its end is seen only if everything that it sent
// before was read.
func lookAtPeer(conn *net.TCPConn) (state peerState) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return peerOpen
	}
	// fails only if the connection is closed, and then nobody has to be told
	_ = raw.Control(func(fd uintptr) {
		n, err := peekNow(fd)
		switch {
		case err == unix.ECONNRESET:
			state = peerGone
		case err == nil && n == 0:
			state = peerSendsNoMore
		}
	})
	return state
}
