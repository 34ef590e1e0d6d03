package engine

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe"
)

const (
	readSize  = 32 << 10 // bytes that one read can take
	eventSize = 512      // events that one wait can bring
)

// poller waits for sockets. All but wake belongs to the loop.
//
// Its epoll descriptor is itself watched by the epoll of Go's scheduler: a loop that waits is a
// parked goroutine, not a thread in a system call, so that timers, other goroutines and sockets
// share one thread and its wake-ups.
type poller struct {
	portable bool
	epoll    *os.File
	raw      syscall.RawConn // of epoll
	fd       int             // of epoll
	woken    atomic.Bool     // wake was called since the last wait
	ready    []unix.EpollEvent
	events   int // how many of ready the last wait brought
	buffer   []byte
	conns    []*conn // by slot
	free     []*conn
}

func newPoller(portable bool) (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// so that NewFile gives it to Go's poller
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &poller{
		portable: portable,
		epoll:    os.NewFile(uintptr(fd), "epoll"),
		fd:       fd,
		ready:    make([]unix.EpollEvent, eventSize),
		buffer:   make([]byte, readSize),
	}
	p.raw, err = p.epoll.SyscallConn()
	if err == nil {
		err = p.epoll.SetReadDeadline(time.Time{})
	}
	if err != nil {
		_ = p.epoll.Close()
		return nil, fmt.Errorf("cannot wait for sockets: %w", err)
	}
	return p, nil
}

// close frees the descriptor. There are no exchanges any more.
func (p *poller) close() { _ = p.epoll.Close() }

// target returns what the fast path needs of a Prober, or nil if it cannot take it.
func (p *poller) target(prober probe.Prober) *target {
	if p.portable {
		return nil
	}
	return newTarget(prober)
}

// wake ends a wait, or the next one.
func (p *poller) wake() {
	p.woken.Store(true)
	_ = p.epoll.SetReadDeadline(time.Unix(1, 0)) // a closed one has no wait to end
}

// wait returns when a socket is ready, after a call of wake, or when the time is over; a negative
// one never is.
func (p *poller) wait(timeout time.Duration) {
	p.events = 0
	if timeout == 0 {
		p.poll()
		return
	}
	var deadline time.Time
	if timeout > 0 {
		deadline = time.Now().Add(timeout)
	}
	_ = p.epoll.SetReadDeadline(deadline) // works, or newPoller had failed
	if p.woken.Swap(false) {
		p.poll()
		return
	}
	_ = p.raw.Read(func(uintptr) bool { return p.poll() }) // the error is the end of the time
	p.woken.Store(false)
}

// poll asks which sockets are ready now, and reports whether any is.
func (p *poller) poll() bool {
	n, err := epollReady(p.fd, p.ready)
	if err != nil {
		n = 0 // interrupted by a signal: there is another round
	}
	p.events = n
	return n > 0
}

// dispatch drives the exchanges whose sockets are ready.
func (p *poller) dispatch() {
	for _, event := range p.ready[:p.events] {
		if x := p.conns[event.Fd]; x.generation == event.Pad {
			x.progress()
		}
	}
}

// start begins the attempt on the fast path.
func (p *poller) start(a *attempt) bool {
	x := p.newConn()
	x.attempt, a.fast = a, x
	if grpc := a.target.fast.grpc; grpc != nil {
		x.call = grpc.Start(rand.Float64())
	}
	if a.deadline.fire == nil {
		a.deadline.fire = a.expire
	}
	a.engine.at(a.began.Add(a.target.fast.timeout), &a.deadline)
	x.open()
	return true
}

// newConn returns a fresh exchange, with the memory of a used one if there is any.
func (p *poller) newConn() *conn {
	if n := len(p.free); n > 0 {
		x := p.free[n-1]
		p.free = p.free[:n-1]
		return x
	}
	x := &conn{poller: p, slot: int32(len(p.conns)), fd: noSocket}
	x.retry.fire = x.open
	p.conns = append(p.conns, x)
	return x
}
