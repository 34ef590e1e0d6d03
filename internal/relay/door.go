package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// doorState is what a listening socket does with who comes.
type doorState uint8

const (
	doorOpen doorState = iota
	doorShut           // it refuses, and keeps its port
	doorFull           // it neither accepts nor refuses
)

// doorFor is the state of a mode.
func doorFor(k Kind) doorState {
	switch k {
	case Down:
		return doorShut
	case Dead:
		return doorFull
	}
	return doorOpen
}

// door is a listening socket that can refuse and be silent without losing its port to anybody.
type door struct {
	listener *net.TCPListener
	address  netip.AddrPort

	mu      sync.Mutex // guards what follows
	news    *sync.Cond // of them; its lock is mu
	state   doorState
	pausing bool  // state is about to be another than open
	parked  bool  // nothing is being accepted
	fillers []int // connections of ours that fill the queue of a full one
	closed  bool
}

const (
	// doorBacklog is how many connections may wait until they are accepted. The kernel has a limit
	// of its own (net.core.somaxconn).
	doorBacklog = 4096
	// doorAttempts is how often a port is looked for, as somebody else may take it in between.
	doorAttempts = 20
)

// openDoor listens on a loopback address, whose port is 0.
func openDoor(address string) (d *door, err error) {
	for range doorAttempts {
		if d, err = openDoorOnce(address); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return d, err
}

func openDoorOnce(address string) (*door, error) {
	// With SO_REUSEADDR, which is Go's default, somebody else may get the port while it is shut.
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var refused error
		err := raw.Control(func(fd uintptr) { refused = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 0) })
		return errors.Join(err, refused)
	}}
	config.SetMultipathTCP(false)
	// The kernel takes back a port that it has chosen itself.
	free, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	at := free.Addr().String()
	free.Close()
	l, err := config.Listen(context.Background(), "tcp", at)
	if err != nil {
		return nil, err
	}
	d := &door{listener: l.(*net.TCPListener), address: l.Addr().(*net.TCPAddr).AddrPort()}
	d.news = sync.NewCond(&d.mu)
	return d, nil
}

// accept hands over connections until the door is closed. What it calls must not wait.
func (d *door) accept(serve func(*net.TCPConn)) {
	for {
		c, err := d.listener.AcceptTCP()
		switch {
		case err == nil:
			_ = reuse(c, true) // else the port might not be opened again while this one lingers
			serve(c)
		case !d.awaitOpen():
			return
		}
	}
}

// shortage is how long accepting pauses when this process has no descriptor left.
const shortage = 10 * time.Millisecond

// awaitOpen is called after an error of the listener. It returns when connections can be accepted,
// and reports false when the door is closed.
func (d *door) awaitOpen() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed && !d.pausing && d.state == doorOpen {
		d.mu.Unlock()
		time.Sleep(shortage)
		d.mu.Lock()
	}
	for !d.closed && (d.pausing || d.state != doorOpen) {
		d.parked = true
		d.news.Broadcast()
		d.news.Wait()
	}
	d.parked = false
	return !d.closed
}

// set does what a kind of mode means for new connections.
func (d *door) set(k Kind) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := doorFor(k)
	if next == d.state || d.closed {
		return nil
	}
	if err := d.control(func(fd int) error { return d.becomeLocked(next, fd) }); err != nil {
		return err
	}
	d.state = next
	d.news.Broadcast()
	return nil
}

func (d *door) becomeLocked(next doorState, fd int) error {
	d.emptyLocked()
	switch next {
	case doorShut:
		return unix.Shutdown(fd, unix.SHUT_RD)
	case doorFull:
		d.pausing = true
		defer func() { d.pausing = false }()
		// In the past, so that nothing is accepted from here on.
		if err := d.listener.SetDeadline(time.Unix(1, 0)); err != nil {
			return err
		}
		for !d.parked && !d.closed {
			d.news.Wait()
		}
		if err := unix.Listen(fd, 0); err != nil {
			return err
		}
		return d.fillLocked()
	}
	// Connections that were closed here linger for a minute (TIME_WAIT): only who shares the port
	// with them may listen beside them.
	err := errors.Join(reuse(d.listener, true), unix.Listen(fd, doorBacklog))
	return errors.Join(err, reuse(d.listener, false), d.listener.SetDeadline(time.Time{}))
}

// reuse has a socket share its port with others that do, or not.
func reuse(c syscall.Conn, share bool) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	on := 0
	if share {
		on = 1
	}
	var refused error
	err = raw.Control(func(fd uintptr) { refused = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, on) })
	return errors.Join(err, refused)
}

func (d *door) control(act func(fd int) error) error {
	raw, err := d.listener.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = act(int(fd)) })
	return errors.Join(err, failed)
}

const (
	// maxFillers is more than fit into a queue for nobody.
	maxFillers = 8
	// fillTime is how long a connection takes at most that finds room.
	fillTime = 20 * time.Millisecond
)

// fillLocked makes connections until one is neither accepted nor refused.
func (d *door) fillLocked() error {
	for range maxFillers {
		fd, waits, err := connectBriefly(d.address, fillTime)
		if err != nil {
			return err
		}
		d.fillers = append(d.fillers, fd)
		if waits {
			return nil
		}
	}
	return errors.New("its queue of connections does not become full")
}

func (d *door) emptyLocked() {
	for _, fd := range d.fillers {
		unix.Close(fd)
	}
	d.fillers = nil
}

// connectBriefly begins a connection, and reports whether it was still waiting after a while. It
// asks the kernel and not Go's poller, which tells on a busy machine late what has long happened.
func connectBriefly(to netip.AddrPort, limit time.Duration) (fd int, waits bool, err error) {
	family, name := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()})
	if to.Addr().Is4() {
		family, name = unix.AF_INET, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	syscall.ForkLock.RLock()
	fd, err = unix.Socket(family, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, false, err
	}
	err = unix.SetNonblock(fd, true)
	if err == nil {
		err = unix.Connect(fd, name)
	}
	if err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return 0, false, err
	}
	ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	for until := time.Now().Add(limit); ; {
		n, err := unix.Poll(ready, int(max(time.Until(until).Milliseconds(), 0)))
		if err != unix.EINTR {
			return fd, err == nil && n == 0, nil
		}
	}
}

// awaitSent waits until the other side's system has taken everything that was written.
func awaitSent(ctx context.Context, c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	for ctx.Err() == nil {
		left := 0
		err := raw.Control(func(fd uintptr) { left, _ = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ) })
		if err != nil || left == 0 {
			return
		}
		timer := time.NewTimer(time.Millisecond)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (d *door) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	d.news.Broadcast()
	d.emptyLocked()
	return d.listener.Close()
}
