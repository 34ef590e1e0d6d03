package proxy

import (
	"net"

	"golang.org/x/sys/unix"
)

// lookAtPeer looks at the peer of a connection, behind whatever it has sent.
func lookAtPeer(conn *net.TCPConn) (state peerState) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return peerOpen
	}
	// fails only if the connection is closed, and then nobody has to be told
	_ = raw.Control(func(fd uintptr) {
		asked := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		_, err := unix.Poll(asked, 0)
		switch {
		case err != nil: // interrupted: it is asked again
		case asked[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
			state = peerGone
		case asked[0].Revents&unix.POLLRDHUP != 0:
			state = peerSendsNoMore
		}
	})
	return state
}
