//go:build unix

package proxy

import "golang.org/x/sys/unix"

// isSilent reports whether the peer of a connection has neither closed it nor sent anything. It
// takes nothing out of the connection.
func isSilent(fd uintptr) bool {
	_, err := peekNow(fd)
	return err == unix.EAGAIN
}
