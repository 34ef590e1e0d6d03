package engine

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe"
)

// addrPort returns an address that a system call returned, or the zero value if it is not TCP's.
func addrPort(address unix.Sockaddr) netip.AddrPort {
	switch a := address.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// closeSocket closes a connection: plainly like net/http does, or so that neither side keeps the
// socket in TIME_WAIT, where the client is the first to close. Then RST follows the FIN as soon as
// that is acknowledged. The service has read an end of file by then.
//
// SO_LINGER is not set to a second as the handlers do (R59): it changes nothing on the wire, but
// lets close wait until a peer acknowledges, and all other attempts with it.
func closeSocket(fd int, plainly bool) {
	if !plainly {
		noTimeWait(fd)
	}
	shut(fd)
}

// watch lets epoll report when the socket is ready.
func (c *conn) watch(events uint32) {
	if c.watched == events {
		return
	}
	operation := unix.EPOLL_CTL_ADD
	if c.watched != 0 {
		operation = unix.EPOLL_CTL_MOD
	}
	event := unix.EpollEvent{Events: events, Fd: c.slot, Pad: c.generation}
	if err := epollControl(c.poller.fd, operation, c.fd, &event); err != nil {
		// There is nothing wrong with the socket: memory or the user's share of watches has run
		// out.
		c.attempt.finish(probe.Result{Err: fmt.Errorf("%w: %w", probe.ErrShortage, os.NewSyscallError("epoll_ctl", err))})
		return
	}
	c.watched = events
}

// detach takes the socket out of the event loop.
func (c *conn) detach() (net.Conn, error) {
	if c.watched != 0 {
		// The descriptor is about to be duplicated, which would keep it in epoll.
		_ = epollControl(c.poller.fd, unix.EPOLL_CTL_DEL, c.fd, nil)
	}
	file := os.NewFile(uintptr(c.fd), "")
	defer file.Close()
	conn, err := net.FileConn(file)
	c.forget()
	return conn, err
}

// localAddr is the connection's own address in the form of package net; nil if it has none any
// more.
func (c *conn) localAddr() net.Addr {
	local, err := unix.Getsockname(c.fd)
	if err != nil {
		return nil
	}
	return net.TCPAddrFromAddrPort(addrPort(local))
}
