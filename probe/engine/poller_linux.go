package engine

import (
	"encoding/binary"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe"
)

const (
	readSize  = 32 << 10 // bytes that one read can take
	eventSize = 512      // events that one wait can bring

	alarm = -1 // the slot of the descriptor that ends a wait
)

// poller waits for sockets. All but wake belongs to the loop.
type poller struct {
	portable  bool
	epoll     int
	alarm     int // an eventfd
	ready     []unix.EpollEvent
	events    int // how many of ready the last wait brought
	buffer    []byte
	exchanges []*exchange // by slot
	free      []*exchange
}

func newPoller(portable bool) (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, os.NewSyscallError("eventfd", err)
	}
	err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, event, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: alarm})
	if err != nil {
		_ = unix.Close(event)
		_ = unix.Close(epoll)
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return &poller{
		portable: portable,
		epoll:    epoll,
		alarm:    event,
		ready:    make([]unix.EpollEvent, eventSize),
		buffer:   make([]byte, readSize),
	}, nil
}

// close frees the descriptors. There are no exchanges any more.
func (p *poller) close() {
	_ = unix.Close(p.alarm)
	_ = unix.Close(p.epoll)
}

// take returns what the fast path needs to know about a Prober, or nil if it has to leave it to others.
func (p *poller) take(prober probe.Prober) *target {
	if p.portable {
		return nil
	}
	return newTarget(prober)
}

// wake ends a wait, or the next one. The engine's lock is held, so the descriptor is open.
func (p *poller) wake() {
	_, _ = unix.Write(p.alarm, binary.NativeEndian.AppendUint64(nil, 1)) // a full counter wakes as well
}

// wait returns when a socket is ready, after a call of wake, or when the time is over; a negative one never is.
func (p *poller) wait(timeout time.Duration) {
	milliseconds := -1
	if timeout >= 0 {
		milliseconds = int(min((timeout+time.Millisecond-1)/time.Millisecond, 1<<30))
	}
	n, err := unix.EpollWait(p.epoll, p.ready, milliseconds)
	if err != nil {
		n = 0 // interrupted by a signal: there is another round
	}
	p.events = n
}

// dispatch drives the exchanges whose sockets are ready.
func (p *poller) dispatch() {
	for _, event := range p.ready[:p.events] {
		if event.Fd == alarm {
			var count [8]byte
			_, _ = unix.Read(p.alarm, count[:]) // it has been heard, that is all
			continue
		}
		if x := p.exchanges[event.Fd]; x.generation == event.Pad {
			x.progress()
		}
	}
}

// start begins the attempt on the fast path.
func (p *poller) start(a *attempt) bool {
	x := p.newExchange()
	x.attempt, a.fast = a, x
	if a.deadline.fire == nil {
		a.deadline.fire = a.expire
	}
	a.engine.at(a.began.Add(a.target.fast.timeout), &a.deadline)
	x.open()
	return true
}

// newExchange returns a fresh exchange, with the memory of a used one if there is any.
func (p *poller) newExchange() *exchange {
	if n := len(p.free); n > 0 {
		x := p.free[n-1]
		p.free = p.free[:n-1]
		return x
	}
	x := &exchange{poller: p, slot: int32(len(p.exchanges)), fd: noSocket}
	x.retry.fire = x.open
	p.exchanges = append(p.exchanges, x)
	return x
}
