package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// spareTime is how long a connection is kept for a program that does not come.
const spareTime = 5 * time.Second

// Reach connects to the destination before a program is led to the relay, so that the program gets
// to know what it would know without one: that the destination refuses, or cannot be reached. The
// next connection that comes uses what was connected. The result is what connect(2) would fail
// with; it is 0 if it would not, if that takes longer than [Options.ReachTime], and in every mode
// that decides this itself.
func (r *Relay) Reach() syscall.Errno {
	if kind := r.Mode().forNew().Kind; kind != Pass && kind != Slow || r.opts.Target.Addr().Zone() != "" {
		return 0
	}
	fd, waits, err := connectBriefly(r.opts.Target, r.opts.ReachTime)
	if err != nil {
		return refusal(err)
	}
	if waits {
		unix.Close(fd)
		return 0
	}
	if errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || errno != 0 {
		unix.Close(fd)
		return refusal(syscall.Errno(errno))
	}
	file := os.NewFile(uintptr(fd), "destination")
	defer file.Close()
	if target, err := net.FileConn(file); err == nil { // else the next connection is made when it comes
		r.spares.put(target.(*net.TCPConn))
	}
	return 0
}

// refusal is an error that a program would get, too. Others mean that this process lacks something.
func refusal(err error) syscall.Errno {
	for _, errno := range []syscall.Errno{syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ETIMEDOUT} {
		if errors.Is(err, errno) {
			return errno
		}
	}
	return 0
}

func (r *Relay) dial(ctx context.Context) (*net.TCPConn, error) {
	return new(net.Dialer).DialTCP(ctx, "tcp", netip.AddrPort{}, r.opts.Target)
}

// spares are connections to the destination that no program has taken yet. One is as good as
// another. The zero value is ready.
type spares struct {
	mu     sync.Mutex
	idle   []spare // guarded by mu, the oldest first
	closed bool    // guarded by mu
}

type spare struct {
	target *net.TCPConn
	timer  *time.Timer
}

func (s *spares) put(target *net.TCPConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		target.Close()
		return
	}
	s.idle = append(s.idle, spare{target, time.AfterFunc(spareTime, func() { s.drop(target) })})
}

// take is the oldest one, nil if there is none.
func (s *spares) take() *net.TCPConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == 0 {
		return nil
	}
	first := s.idle[0]
	s.idle = s.idle[1:]
	first.timer.Stop()
	return first.target
}

// drop closes one if it is still there.
func (s *spares) drop(target *net.TCPConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, one := range s.idle {
		if one.target == target {
			s.idle = append(s.idle[:i:i], s.idle[i+1:]...)
			target.Close()
			return
		}
	}
}

func (s *spares) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, one := range s.idle {
		one.timer.Stop()
		one.target.Close()
	}
	s.idle = nil
}
