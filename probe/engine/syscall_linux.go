package engine

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls of the loop are raw: Go's scheduler does not take part in them. It would wake
// its monitor thread for the first call after a pause, and with a few probes now and then that
// costs more than the calls. None of them blocks: every socket is non-blocking, and none lingers.

// socketAddress is an address in the kernel's form.
type socketAddress struct {
	family int
	size   uintptr
	raw    unix.RawSockaddrInet6 // an IPv4 address is in its beginning
}

func newSocketAddress(addr netip.AddrPort) socketAddress {
	if addr.Addr().Is4() {
		a := socketAddress{family: unix.AF_INET, size: unix.SizeofSockaddrInet4}
		raw := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw))
		raw.Family, raw.Port, raw.Addr = unix.AF_INET, networkOrder(addr.Port()), addr.Addr().As4()
		return a
	}
	a := socketAddress{family: unix.AF_INET6, size: unix.SizeofSockaddrInet6}
	a.raw.Family, a.raw.Port, a.raw.Addr = unix.AF_INET6, networkOrder(addr.Port()), addr.Addr().As16()
	return a
}

// networkOrder returns the number whose bytes in memory are big-endian.
func networkOrder(port uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, port))
}

// fault is the error of a system call, nil for none.
func fault(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// streamSocket makes a TCP socket.
func streamSocket(family int) (int, error) {
	fd, _, errno := unix.RawSyscall(unix.SYS_SOCKET, uintptr(family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return int(fd), fault(errno)
}

func connect(fd int, to *socketAddress) error {
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to.raw)), to.size)
	return fault(errno)
}

// connected reports whether the connection stands.
func connected(fd int) bool {
	var peer unix.RawSockaddrAny
	size := uint32(unix.SizeofSockaddrAny)
	_, _, errno := unix.RawSyscall(unix.SYS_GETPEERNAME, uintptr(fd), uintptr(unsafe.Pointer(&peer)), uintptr(unsafe.Pointer(&size)))
	return errno == 0
}

// write sends bytes; data must not be empty.
func write(fd int, data []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)))
	return int(n), fault(errno)
}

// read receives bytes; buffer must not be empty.
func read(fd int, buffer []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&buffer[0])), uintptr(len(buffer)))
	return int(n), fault(errno)
}

// shut closes a socket. The result of the attempt does not change if that fails.
func shut(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// noTimeWait lets close send RST as soon as its FIN is acknowledged, see TCP_LINGER2 in tcp(7).
// Without it there is a TIME_WAIT, no harm.
func noTimeWait(fd int) {
	value := int32(-1)
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_LINGER2,
		uintptr(unsafe.Pointer(&value)), unsafe.Sizeof(value), 0)
}

// epollControl changes what epoll reports about a socket.
func epollControl(epoll, operation, fd int, event *unix.EpollEvent) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epoll), uintptr(operation), uintptr(fd), uintptr(unsafe.Pointer(event)), 0, 0)
	return fault(errno)
}

// epollReady returns what is ready, without waiting.
func epollReady(epoll int, ready []unix.EpollEvent) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&ready[0])), uintptr(len(ready)), 0, 0, 0)
	return int(n), fault(errno)
}
