package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The messages of sock_diag(7). Lengths are in bytes.
const (
	netlinkHeader   = 16
	diagGetSock     = 18                 // TCPDIAG_GETSOCK
	diagRequestSize = netlinkHeader + 60 // struct inet_diag_req
	diagAnswerSize  = 72                 // struct inet_diag_msg
	diagV6Only      = 11                 // INET_DIAG_SKV6ONLY
)

var errBadDiag = errors.New("malformed answer of sock_diag")

// Sockets asks the kernel for the listening sockets, through a netlink socket that it keeps open
// because opening one costs as much as a question. The zero value is ready; it is safe for
// concurrent use. It holds one descriptor from its first question until Close.
type Sockets struct {
	// Freshness is how old an answer may be. With it one question about all ports serves everybody
	// who asks within that time, which is what probes of many Pods that are due together need.
	// Default 0: every question goes to the kernel, about one port.
	Freshness time.Duration

	mu    sync.Mutex // guards the fields below
	fd    int        // 0 means that none is open
	buf   []byte
	all   []Listener // at the time asked
	asked time.Time
}

// Close closes the netlink socket; another question opens a new one.
func (s *Sockets) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeLocked()
}

func (s *Sockets) closeLocked() {
	if s.fd != 0 {
		unix.Close(s.fd)
		s.fd = 0
	}
}

// listeners asks for the listening sockets of both families in one request, filtered by the kernel.
func (s *Sockets) listeners(port int) ([]Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Freshness == 0 {
		return s.openAndAskLocked(port)
	}
	if now := time.Now(); now.Sub(s.asked) > s.Freshness {
		all, err := s.openAndAskLocked(0)
		if err != nil {
			return nil, err
		}
		s.all, s.asked = all, now
	}
	var some []Listener
	for _, l := range s.all {
		if port == 0 || l.Port == port {
			some = append(some, l)
		}
	}
	return some, nil
}

func (s *Sockets) openAndAskLocked(port int) ([]Listener, error) {
	if s.fd == 0 {
		fd, err := openDiag()
		if err != nil {
			return nil, err
		}
		s.fd, s.buf = fd, make([]byte, 16<<10)
	}
	all, err := s.askLocked(port)
	if err != nil {
		s.closeLocked() // what is still on its way belongs to no later question
	}
	return all, err
}

func openDiag() (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, err
	}
	if err := unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

// askLocked uses the memory of the last answer about all ports.
func (s *Sockets) askLocked(port int) ([]Listener, error) {
	request := diagRequest(port)
	if _, err := rawCall(unix.SYS_WRITE, s.fd, request[:]); err != nil {
		return nil, err
	}
	all := s.all[:0]
	for {
		n, err := rawCall(unix.SYS_READ, s.fd, s.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		var done bool
		if all, done, err = appendDiag(all, s.buf[:n]); err != nil || done {
			return all, err
		}
	}
}

// rawCall reads or writes without notice to Go's scheduler, which would wake its monitor thread for
// the first call after a pause. That would cost more than the call itself, and the call cannot
// block: the kernel has answered before the write returns.
func rawCall(call uintptr, fd int, data []byte) (int, error) {
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// diagRequest is a request of the older form, which is the one that takes both families at once.
func diagRequest(port int) (b [diagRequestSize]byte) {
	native := binary.NativeEndian
	native.PutUint32(b[0:], diagRequestSize)
	native.PutUint16(b[4:], diagGetSock)
	native.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.BigEndian.PutUint16(b[20:], uint16(port)) // 0 is every port
	native.PutUint32(b[68:], 1<<tcpListen)
	return b
}

// appendDiag reads one datagram of the answer, which is a sequence of netlink messages, and appends
// its sockets. done reports that nothing follows.
func appendDiag(all []Listener, data []byte) (more []Listener, done bool, err error) {
	native := binary.NativeEndian
	for len(data) >= netlinkHeader {
		size := int(native.Uint32(data))
		if size < netlinkHeader || size > len(data) {
			return nil, false, errBadDiag
		}
		body := data[netlinkHeader:size]
		switch native.Uint16(data[4:]) {
		case unix.NLMSG_DONE:
			return all, true, nil
		case unix.NLMSG_ERROR:
			return nil, false, diagError(body)
		case diagGetSock:
			l, err := parseDiagMessage(body)
			if err != nil {
				return nil, false, err
			}
			all = append(all, l)
		}
		data = data[min(align4(size), len(data)):]
	}
	if len(data) > 0 {
		return nil, false, errBadDiag
	}
	return all, false, nil
}

func diagError(body []byte) error {
	if len(body) < 4 {
		return errBadDiag
	}
	errno := int32(binary.NativeEndian.Uint32(body))
	return fmt.Errorf("sock_diag refuses: %w", syscall.Errno(-errno))
}

func parseDiagMessage(body []byte) (Listener, error) {
	if len(body) < diagAnswerSize {
		return Listener{}, errBadDiag
	}
	l := Listener{
		Port:  int(binary.BigEndian.Uint16(body[4:])),
		Inode: uint64(binary.NativeEndian.Uint32(body[68:])),
	}
	switch source := body[8:24]; body[0] {
	case unix.AF_INET:
		l.Addr = netip.AddrFrom4([4]byte(source))
	case unix.AF_INET6:
		l.Addr = netip.AddrFrom16([16]byte(source)).Unmap()
	default:
		return Listener{}, errBadDiag
	}
	l.OnlyIPv6 = v6Only(body[diagAnswerSize:])
	return l, nil
}

// v6Only looks for that attribute; a list of another shape has none.
func v6Only(attributes []byte) bool {
	for len(attributes) >= 4 {
		size := int(binary.NativeEndian.Uint16(attributes))
		if size < 4 || size > len(attributes) {
			return false
		}
		if binary.NativeEndian.Uint16(attributes[2:]) == diagV6Only {
			return size > 4 && attributes[4] != 0
		}
		attributes = attributes[min(align4(size), len(attributes)):]
	}
	return false
}

func align4(n int) int { return (n + 3) &^ 3 }
