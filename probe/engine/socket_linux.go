package engine

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe"
)

// sockaddr returns the address in the form of the system calls.
func sockaddr(addr netip.AddrPort) (family int, address unix.Sockaddr) {
	if addr.Addr().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Addr: addr.Addr().As16(), Port: int(addr.Port())}
}

// tcpAddr returns the address in the form of package net; nil if it is none.
func tcpAddr(address unix.Sockaddr) net.Addr {
	switch a := address.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	}
	return nil
}

// same reports whether both are the same address and port.
func same(a, b unix.Sockaddr) bool {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		b, ok := b.(*unix.SockaddrInet4)
		return ok && a.Port == b.Port && a.Addr == b.Addr
	case *unix.SockaddrInet6:
		b, ok := b.(*unix.SockaddrInet6)
		return ok && a.Port == b.Port && a.Addr == b.Addr
	}
	return false
}

// hangUp closes a connection: plainly like net/http does, or so that neither side keeps the socket in TIME_WAIT, where
// the client is the first to close. Then RST follows the FIN as soon as that is acknowledged, which a negative
// TCP_LINGER2 asks for, see tcp(7). The service has read an end of file by then.
//
// SO_LINGER is not set to a second as the handlers do (R59): it changes nothing on the wire, but lets close wait until a
// peer acknowledges, and all other attempts with it.
func hangUp(fd int, plainly bool) {
	if !plainly {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_LINGER2, -1) // without it there is a TIME_WAIT, no harm
	}
	_ = unix.Close(fd) // what the service said does not change
}

// watch lets epoll report when the socket is ready.
func (x *exchange) watch(events uint32) {
	if x.watched == events {
		return
	}
	operation := unix.EPOLL_CTL_ADD
	if x.watched != 0 {
		operation = unix.EPOLL_CTL_MOD
	}
	event := unix.EpollEvent{Events: events, Fd: x.slot, Pad: x.generation}
	if err := unix.EpollCtl(x.poller.epoll, operation, x.fd, &event); err != nil {
		// There is nothing wrong with the socket: memory or the user's share of watches has run out.
		x.attempt.finish(probe.Result{Err: fmt.Errorf("%w: %w", probe.ErrShortage, os.NewSyscallError("epoll_ctl", err))})
		return
	}
	x.watched = events
}

// detach takes the socket out of the event loop.
func (x *exchange) detach() (net.Conn, error) {
	if x.watched != 0 {
		// The descriptor is about to be duplicated, which would keep it in epoll.
		_ = unix.EpollCtl(x.poller.epoll, unix.EPOLL_CTL_DEL, x.fd, nil)
	}
	file := os.NewFile(uintptr(x.fd), "")
	defer file.Close()
	conn, err := net.FileConn(file)
	x.forget()
	return conn, err
}
