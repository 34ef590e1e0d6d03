package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// programSocket is a copy of the socket that a program connects, and where to.
type programSocket struct {
	fd      int
	family  int
	cookie  uint64 // the kernel's number of it, which no other socket gets
	want    Connect
	watched bool // want is known, and of a kind that is asked for
	busy    bool // it is connected, or about to be: the program asks how that goes on
}

// socketNameAt is where a program's memory has the name of a socket.
type socketNameAt struct {
	at     uintptr
	length int
}

// fetch takes a copy of the socket of a thread's call, and reads which other one the call names.
func (w *watch) fetch(thread, descriptor int, named socketNameAt) (*programSocket, error) {
	fd, err := fetchOfThread(thread, descriptor)
	if err != nil {
		return nil, err
	}
	s := &programSocket{fd: fd}
	err = s.examine()
	var name []byte
	if err == nil {
		name, err = readSocketName(thread, named)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.want.Address, s.want.Path, s.watched = parseSocketName(name, s.family)
	s.watched = s.watched && s.want.Network != ""
	return s, nil
}

// readSocketName reads the name of a socket. The kernel refuses other lengths.
func readSocketName(pid int, named socketNameAt) ([]byte, error) {
	if named.length <= 0 || named.length > maxSocketName {
		return nil, unix.EINVAL
	}
	return readMemory(pid, unix.RemoteIovec{Base: named.at, Len: named.length})
}

// readMemory reads pieces of the memory of a program, one after the other.
func readMemory(pid int, pieces ...unix.RemoteIovec) ([]byte, error) {
	length := 0
	for _, piece := range pieces {
		length += piece.Len
	}
	if length == 0 {
		return nil, nil
	}
	data := make([]byte, length)
	local := []unix.Iovec{{Base: &data[0]}}
	local[0].SetLen(length)
	n, err := unix.ProcessVMReadv(pid, local, pieces, 0)
	if err == nil && n != length {
		err = io.ErrUnexpectedEOF
	}
	return data, err
}

// maxSocketName is the size of struct sockaddr_storage.
const maxSocketName = 128

// fetchOfThread fetches a descriptor of a thread. Kernels before 6.9 know processes alone.
func fetchOfThread(tid, fd int) (int, error) {
	got, err := fetchDescriptor(tid, unix.O_EXCL, fd) // PIDFD_THREAD
	if err != unix.EINVAL {
		return got, err
	}
	process, err := processOf(tid)
	if err != nil {
		return 0, err
	}
	return fetchDescriptor(process, 0, fd)
}

// processOf is the process that a thread belongs to.
func processOf(tid int) (int, error) {
	status, err := os.ReadFile(procPath(tid, "status"))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if number, ok := bytes.CutPrefix(line, []byte("Tgid:")); ok {
			return strconv.Atoi(string(bytes.TrimSpace(number)))
		}
	}
	return 0, fmt.Errorf("malformed %s", procPath(tid, "status"))
}

// examine finds out what kind of socket it is.
func (s *programSocket) examine() (err error) {
	if s.family, err = unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_DOMAIN); err != nil {
		return err
	}
	kind, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return err
	}
	protocol, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil {
		return err
	}
	s.want.Network = networkOf(s.family, kind, protocol)
	if s.want.Network == "tcp" {
		info, err := unix.GetsockoptTCPInfo(s.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		s.busy = err == nil && info.State != tcpClose
	}
	s.cookie, err = unix.GetsockoptUint64(s.fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	return err
}

// tcpClose is the state of a socket that is not connected, as the kernel numbers it.
const tcpClose = 7

// networkOf is the word for a kind of socket; "" for those that nobody is asked about.
func networkOf(family, kind, protocol int) string {
	switch inet := family == unix.AF_INET || family == unix.AF_INET6; {
	case family == unix.AF_UNIX:
		return "unix"
	case inet && kind == unix.SOCK_STREAM && (protocol == unix.IPPROTO_TCP || protocol == unix.IPPROTO_MPTCP):
		return "tcp"
	case inet && kind == unix.SOCK_DGRAM && protocol == unix.IPPROTO_UDP:
		return "udp"
	}
	return ""
}

// parseSocketName reads a sockaddr of a family, which must be that of the socket: one of
// AF_UNSPEC ends the connection of a socket.
func parseSocketName(name []byte, family int) (address netip.AddrPort, path string, ok bool) {
	if len(name) < 2 || int(binary.NativeEndian.Uint16(name)) != family {
		return netip.AddrPort{}, "", false
	}
	switch {
	case family == unix.AF_INET && len(name) >= unix.SizeofSockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(name[4:8])), binary.BigEndian.Uint16(name[2:])), "", true
	case family == unix.AF_INET6 && len(name) >= unix.SizeofSockaddrInet6:
		ip := netip.AddrFrom16([16]byte(name[8:24])).Unmap()
		if zone := binary.NativeEndian.Uint32(name[24:]); zone != 0 && ip.IsLinkLocalUnicast() {
			ip = ip.WithZone(strconv.FormatUint(uint64(zone), 10))
		}
		return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(name[2:])), "", true
	case family == unix.AF_UNIX && len(name) > 3 && name[2] == 0:
		return netip.AddrPort{}, "@" + string(name[3:]), true
	case family == unix.AF_UNIX && len(name) > 2:
		path, _, _ := bytes.Cut(name[2:], []byte{0})
		return netip.AddrPort{}, string(path), true
	}
	return netip.AddrPort{}, "", false
}

// connect connects the program's socket and returns what its call returns. A socket that blocks is
// waited for without holding a thread, until it is done or its program does not want it any more.
// again says that the program has asked before and was interrupted: its socket may be connected, or
// about to be.
func (s *programSocket) connect(to netip.AddrPort, again bool, wanted func() bool) syscall.Errno {
	flags, err := unix.FcntlInt(uintptr(s.fd), unix.F_GETFL, 0)
	if err != nil {
		return syscall.Errno(errnoOf(err))
	}
	if flags&unix.O_NONBLOCK != 0 {
		return s.attempt(to, again)
	}
	// The program's own thread waits for the answer, so nobody else uses the socket.
	if err := unix.SetNonblock(s.fd, true); err != nil {
		return syscall.Errno(errnoOf(err))
	}
	errno := s.attempt(to, again)
	if errno == unix.EINPROGRESS && s.decided() {
		errno = s.attempt(to, true) // the second call says how the first one went on
	}
	var waiting *os.File
	if errno == unix.EINPROGRESS {
		waiting = os.NewFile(uintptr(s.fd), "connect") // now, as Go's poller takes only what does not block
		s.fd = -1
	}
	if waiting == nil {
		_ = unix.SetNonblock(s.fd, false) // what was done before can be undone
		return errno
	}
	defer waiting.Close()
	return s.wait(waiting, to, wanted)
}

// attempt calls connect(2) on the socket, which does not block.
func (s *programSocket) attempt(to netip.AddrPort, again bool) syscall.Errno {
	errno := syscall.Errno(errnoOf(unix.Connect(s.fd, socketName(to, s.family))))
	switch {
	case errno == unix.EINTR:
		return unix.EINPROGRESS
	case again && errno == unix.EALREADY:
		return unix.EINPROGRESS
	case again && errno == unix.EISCONN:
		return 0
	}
	return errno
}

// decided reports whether the connection is made or refused.
func (s *programSocket) decided() bool { return decided(uintptr(s.fd)) }

func decided(fd uintptr) bool {
	ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(ready, 0)
	return err == nil && n > 0
}

// wantedPeriod is how often a connect that waits looks whether its program still does.
const wantedPeriod = 100 * time.Millisecond

// wait waits for a connection that is being made on a socket that blocks, as long as the program
// would (SO_SNDTIMEO).
func (s *programSocket) wait(socket *os.File, to netip.AddrPort, wanted func() bool) syscall.Errno {
	raw, err := socket.SyscallConn()
	if err != nil {
		return unix.EIO
	}
	var limit time.Duration
	_ = raw.Control(func(fd uintptr) { // it is open: only this function closes it
		_ = unix.SetNonblock(int(fd), false)
		if t, err := unix.GetsockoptTimeval(int(fd), unix.SOL_SOCKET, unix.SO_SNDTIMEO); err == nil {
			limit = time.Duration(t.Nano())
		}
	})
	for began := time.Now(); ; {
		tick := time.Now().Add(wantedPeriod)
		if limit > 0 && tick.After(began.Add(limit)) {
			tick = began.Add(limit)
		}
		_ = socket.SetWriteDeadline(tick)
		errno := syscall.Errno(0)
		err := raw.Write(func(fd uintptr) bool {
			if !decided(fd) {
				return false
			}
			errno = syscall.Errno(errnoOf(unix.Connect(int(fd), socketName(to, s.family))))
			return true
		})
		switch {
		case err == nil && errno == unix.EISCONN:
			return 0
		case err == nil:
			return errno
		case !errors.Is(err, os.ErrDeadlineExceeded) || limit > 0 && time.Since(began) >= limit || !wanted():
			return unix.EINPROGRESS
		}
	}
}

// socketName is an address for a socket of a family.
func socketName(to netip.AddrPort, family int) unix.Sockaddr {
	if family == unix.AF_INET6 {
		return &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
}

func (s *programSocket) close() {
	if s.fd >= 0 {
		unix.Close(s.fd)
	}
}
