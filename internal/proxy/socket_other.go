//go:build unix && (!linux || race)

package proxy

// The race detector takes from these calls what happens before what; so it gets them on Linux, too.

import "golang.org/x/sys/unix"

// readNow reads what is there. The error is EAGAIN if nothing is.
func readNow(fd uintptr, p []byte) (n int, err error) {
	for {
		if n, err = unix.Read(int(fd), p); err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// writeNow writes what there is room for. The error is EAGAIN if there is none.
func writeNow(fd uintptr, p []byte) (n int, err error) {
	for {
		if n, err = unix.Write(int(fd), p); err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// peekNow reads a byte without taking it out of the connection.
func peekNow(fd uintptr) (n int, err error) {
	var b [1]byte
	n, _, err = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return n, err
}
