// Package dial opens connections like the kubelet's probes do.
package dial

import (
	"cmp"
	"context"
	"net"
	"syscall"
)

// Context opens a plain connection, like [net.Dialer.DialContext].
func Context(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{Control: lingerOneSecond}).DialContext(ctx, network, address)
}

// lingerOneSecond lets a close send FIN and wait at most a second for the peer (R59), which
// shortens the life of sockets that many probes leave behind.
func lingerOneSecond(_, _ string, socket syscall.RawConn) error {
	var failed error
	err := socket.Control(func(fd uintptr) {
		failed = syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1, Linger: 1})
	})
	return cmp.Or(err, failed)
}
