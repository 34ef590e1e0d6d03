package relay

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// disconnect lets a connected UDP socket take datagrams of everybody again.
func disconnect(fd int) error {
	name := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&name)), unsafe.Sizeof(name)); errno != 0 && errno != syscall.EAFNOSUPPORT {
		return errno
	}
	return nil
}
