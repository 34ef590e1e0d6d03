//go:build !race

package proxy

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls in this file ask a socket that does not block, and return at once. The scheduler is not
// told of them as of calls that may block: that costs as much as a short call does, and has the
// runtime's monitor look every 20 µs whether one of them blocks, which was a fifth of the processor
// time of a busy Service.

// readNow reads what is there. The error is EAGAIN if nothing is.
func readNow(fd uintptr, p []byte) (n int, err error) {
	return result(unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))))
}

// writeNow writes what there is room for. The error is EAGAIN if there is none.
func writeNow(fd uintptr, p []byte) (n int, err error) {
	return result(unix.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))))
}

// peekNow reads a byte without taking it out of the connection.
func peekNow(fd uintptr) (n int, err error) {
	var b [1]byte
	return result(unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b)), 1, unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0))
}

func result(n, _ uintptr, errno unix.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
