package process

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Ports hands out private ports for pods. The zero value is ready and safe for concurrent use.
//
// A port that was taken is not handed out again before its release, not by another Probity on this
// machine either. It lies outside of the range from which the kernel takes ports for outgoing
// connections, if there is room. Another program can still take it between Take and the moment when
// the pod listens: then the pod fails to listen, or somebody else answers there, which [Identity]
// finds out. So that this is not made easy, ports are drawn at random.
type Ports struct {
	mu    sync.Mutex
	taken map[int]func() // how to release each port; guarded by mu
	last  int            // guarded by mu
	// how far at most the next port is; default defaultMaxStep; guarded by mu
	maxStep int
}

// defaultMaxStep makes the next port hard to guess for a program of another user that wants to be
// there first, and still lets a few hundred others come before a port that was released.
const defaultMaxStep = 64

// ErrNoPort is matched when every port is in use.
var ErrNoPort = errors.New("no free port")

// The ports below are for services that people know by number.
const (
	lowestPort  = 20000
	highestPort = 65535
)

// Take reserves a port that nobody uses on any address of this machine, IPv4 or IPv6. Ports that
// were released come back as late as possible, because clients of the former pod may still call
// there.
func (p *Ports) Take() (int, error) {
	low, high := ephemeralPorts()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken == nil {
		p.taken = map[int]func(){}
		// Two Probitys on one machine shall not try the same ports.
		p.last = lowestPort + rand.IntN(highestPort-lowestPort)
		p.maxStep = cmp.Or(p.maxStep, defaultMaxStep)
	}
	p.last += rand.IntN(p.maxStep)
	// First without the kernel's range, then with it.
	for _, avoid := range []bool{true, false} {
		for range highestPort - lowestPort + 1 {
			if p.last++; p.last > highestPort {
				p.last = lowestPort
			}
			if _, taken := p.taken[p.last]; taken || avoid && p.last >= low && p.last <= high {
				continue
			}
			ok, err := p.tryLocked(p.last)
			if err != nil {
				return 0, fmt.Errorf("cannot look for a free port: %w", err)
			}
			if ok {
				return p.last, nil
			}
		}
	}
	return 0, fmt.Errorf("%w from %d to %d: stop some programs, or pods", ErrNoPort, lowestPort, highestPort)
}

// tryLocked takes a port if nobody has it.
func (p *Ports) tryLocked(port int) (bool, error) {
	release, ok, err := reserve(port)
	if err != nil || !ok {
		return false, err
	}
	free, err := portFree(port)
	if err != nil || !free {
		release()
		return false, err
	}
	p.taken[port] = release
	return true, nil
}

// Release gives a port back. It need not have been taken.
func (p *Ports) Release(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if release, ok := p.taken[port]; ok {
		release()
		delete(p.taken, port)
	}
}

// portFree tries to bind the port on all addresses, which conflicts with every socket on one of
// them, a closing one included: a program may not set SO_REUSEADDR either. It does not listen, so
// nobody can connect.
func portFree(port int) (bool, error) {
	err := tryBind(unix.AF_INET, &unix.SockaddrInet4{Port: port})
	if err == nil {
		err = tryBind(unix.AF_INET6, &unix.SockaddrInet6{Port: port})
		if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) {
			err = nil // a machine without IPv6
		}
	}
	if errors.Is(err, unix.EADDRINUSE) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, err
}

func tryBind(family int, addr unix.Sockaddr) error {
	// Not every system can open a socket that no child inherits in one step.
	syscall.ForkLock.RLock()
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if family == unix.AF_INET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return err
		}
	}
	return unix.Bind(fd, addr)
}
