//go:build linux

package main

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// httpTargets answers HTTP requests from one thread. The less the server does, the less of the
// kernel's work for it is counted as the prober's.
type httpTargets struct {
	listener, epoll int
	port            int
	buffer          []byte
}

func newHTTPTargets() (*httpTargets, error) {
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.Bind(listener, &unix.SockaddrInet4{}); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	if err := unix.Listen(listener, 1<<15); err != nil { // the kernel lowers it to its limit
		return nil, os.NewSyscallError("listen", err)
	}
	bound, err := unix.Getsockname(listener)
	if err != nil {
		return nil, os.NewSyscallError("getsockname", err)
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	w := &httpTargets{listener: listener, epoll: epoll, port: bound.(*unix.SockaddrInet4).Port, buffer: make([]byte, 4<<10)}
	return w, w.watch(listener)
}

func (w *httpTargets) watch(fd int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &event))
}

// serve answers until the process ends.
func (w *httpTargets) serve(f *targets) {
	runtime.LockOSThread()
	for ready := make([]unix.EpollEvent, 256); ; {
		n, _ := unix.EpollWait(w.epoll, ready, -1) // interrupted: nothing is ready
		for _, event := range ready[:max(n, 0)] {
			if fd := int(event.Fd); fd != w.listener {
				w.answer(f, fd)
				continue
			}
			for {
				conn, _, err := unix.Accept4(w.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
				if err != nil {
					break
				}
				if w.answer(f, conn) == unix.EAGAIN && w.watch(conn) != nil {
					_ = unix.Close(conn)
				}
			}
		}
	}
}

// answer answers what has come and closes the connection, unless nothing has come yet.
func (w *httpTargets) answer(f *targets, conn int) error {
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
	n, err := unix.Read(conn, w.buffer)
	if err == unix.EAGAIN {
		return err
	}
	if n > 0 {
		if at, err := unix.Getsockname(conn); err == nil {
			addr := at.(*unix.SockaddrInet4).Addr
			f.arrived(addr[2], addr[3])
		}
		_, _ = unix.Write(conn, []byte(answer)) // fails only if the client has gone
	}
	return unix.Close(conn)
}
