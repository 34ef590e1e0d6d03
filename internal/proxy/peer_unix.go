//go:build unix

package proxy

import "golang.org/x/sys/unix"

// isSilent reports whether the peer of a connection has neither closed it nor sent anything. It
// takes nothing out of the connection.
func isSilent(fd uintptr) bool {
	_, err := peekNow(fd)
	return err == unix.EAGAIN
}

// hasUnread reports whether the peer of a connection has sent what nobody has read.
func hasUnread(fd uintptr) bool {
	n, err := peekNow(fd)
	return err == nil && n > 0
}
