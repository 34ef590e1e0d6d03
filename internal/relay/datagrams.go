package relay

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Datagrams carries UDP datagrams to one destination and the answers back, for questions to a name
// server. Make it with [NewDatagrams]; it is safe for concurrent use. Its goroutines end with
// Close, which joins them.
//
// A mode is for every datagram, whatever its scope. Hang keeps questions and asks them when the
// mode changes; Dead drops them; Down and Reset refuse them. Questions that did not come to its
// address are given to it by Keep.
type Datagrams struct {
	opts    Options
	socket  *net.UDPConn
	address netip.AddrPort
	all     sync.WaitGroup // goroutines

	mu     sync.Mutex // guards what follows
	mode   Mode
	until  *time.Timer // of Mode.For, may be nil
	asking map[netip.AddrPort]*net.UDPConn
	held   []datagram
	kept   []Question
	late   map[*time.Timer]lateDatagram
	stats  Stats
	closed bool
}

type datagram struct {
	from netip.AddrPort
	data []byte
}

// Question is a datagram that somebody else has, and sends where it is to go. One of its methods is
// called, once.
type Question interface {
	Send()
	Drop()
}

// lateDatagram is one that waits.
type lateDatagram struct{ send, drop func() }

const (
	// maxDatagram is the largest one that there can be.
	maxDatagram = 64 << 10
	// maxHeld is how many datagrams are kept at most; more are lost, as datagrams may be.
	maxHeld = 1024
	// askingTime is how long a program's port is remembered without an answer.
	askingTime = 30 * time.Second
)

// NewDatagrams starts a relay for datagrams.
func NewDatagrams(opts Options) (*Datagrams, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	var socket *net.UDPConn
	var err error
	for range doorAttempts {
		if socket, err = bindDatagrams(opts.here()); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot make a relay to %v: %w", opts.Target, err)
	}
	d := &Datagrams{
		opts: opts, socket: socket, address: socket.LocalAddr().(*net.UDPAddr).AddrPort(),
		asking: map[netip.AddrPort]*net.UDPConn{}, late: map[*time.Timer]lateDatagram{},
	}
	if err := d.SetMode(opts.Mode); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	d.all.Go(d.run)
	return d, nil
}

// bindDatagrams binds a socket to a port that the kernel does not take back, see refuseLocked.
func bindDatagrams(address string) (*net.UDPConn, error) {
	free, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	at := free.LocalAddr().String()
	free.Close()
	socket, err := net.ListenPacket("udp", at)
	if err != nil {
		return nil, err
	}
	return socket.(*net.UDPConn), nil
}

// Address is where it listens.
func (d *Datagrams) Address() netip.AddrPort { return d.address }

// Mode is what it does now.
func (d *Datagrams) Mode() Mode {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mode
}

// Stats count programs' ports as connections.
func (d *Datagrams) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	stats := d.stats
	stats.Open = int64(len(d.asking))
	return stats
}

// Reach is 0: nobody knows whether a datagram arrives.
func (d *Datagrams) Reach() syscall.Errno { return 0 }

// SetMode changes what it does, from now on.
func (d *Datagrams) SetMode(m Mode) error {
	if err := m.Check(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.setModeLocked(m)
}

func (d *Datagrams) setModeLocked(m Mode) error {
	if d.closed {
		return net.ErrClosed
	}
	if refuses, did := refusesDatagrams(m), refusesDatagrams(d.mode); refuses != did {
		if err := d.refuseLocked(refuses); err != nil {
			return fmt.Errorf("cannot be %v: %w", m.Kind, err)
		}
	}
	d.mode = m
	if m.Kind != Hang {
		held := d.held
		d.held = nil
		for _, q := range held {
			d.questionLocked(q)
		}
		kept := d.kept
		d.kept = nil
		for _, q := range kept {
			d.keepLocked(q)
		}
	}
	if d.until != nil {
		d.until.Stop()
		d.until = nil
	}
	if m.For > 0 {
		d.expireLocked(m.For)
	}
	return nil
}

// expireLocked lets everything pass after a time.
func (d *Datagrams) expireLocked(after time.Duration) {
	var timer *time.Timer
	timer = time.AfterFunc(after, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.until == timer { // else another mode was set meanwhile
			_ = d.setModeLocked(Mode{}) // an error means that it is closed
		}
	})
	d.until = timer
}

func refusesDatagrams(m Mode) bool { return m.Kind == Down || m.Kind == Reset }

// refuseLocked has the kernel refuse datagrams, or not, and keeps the port: a socket that is
// connected, to itself, takes nothing of others.
func (d *Datagrams) refuseLocked(refuse bool) error {
	raw, err := d.socket.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		switch {
		case refuse && d.address.Addr().Is4():
			failed = unix.Connect(int(fd), &unix.SockaddrInet4{Port: int(d.address.Port()), Addr: d.address.Addr().As4()})
		case refuse:
			failed = unix.Connect(int(fd), &unix.SockaddrInet6{Port: int(d.address.Port()), Addr: d.address.Addr().As16()})
		default:
			failed = disconnect(int(fd))
		}
	})
	return errors.Join(err, failed)
}

// run takes questions until Close.
func (d *Datagrams) run() {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := d.socket.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP message about an answer that nobody wanted
		}
		d.mu.Lock()
		d.questionLocked(datagram{netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), append([]byte(nil), buf[:n]...)})
		d.mu.Unlock()
	}
}

// questionLocked does with a question what the mode says.
func (d *Datagrams) questionLocked(q datagram) {
	switch {
	case d.closed || d.mode.Kind == Dead || refusesDatagrams(d.mode):
		return
	case d.mode.Kind == Hang:
		if len(d.held) < maxHeld {
			d.held = append(d.held, q)
		}
		return
	}
	target := d.asking[q.from]
	if target == nil {
		if len(d.asking) >= d.opts.MaxConnections {
			d.stats.TooMany++
			return
		}
		var err error
		if target, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(d.opts.Target)); err != nil {
			return // it is lost, as a datagram may be
		}
		d.asking[q.from] = target
		d.stats.Connections++
		d.all.Go(func() { d.answer(target, q.from) })
	}
	_ = target.SetReadDeadline(time.Now().Add(askingTime))
	_, _ = target.Write(q.data) // as above
}

// answer carries the answers to one port of a program.
func (d *Datagrams) answer(target *net.UDPConn, to netip.AddrPort) {
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.asking, to)
		target.Close()
	}()
	buf := make([]byte, maxDatagram)
	for {
		n, err := target.Read(buf)
		if err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			d.deliver(datagram{to, append([]byte(nil), buf[:n]...)})
		}
	}
}

// deliver writes an answer, later if the mode is slow.
func (d *Datagrams) deliver(a datagram) {
	d.mu.Lock()
	defer d.mu.Unlock()
	write := func() {
		_, _ = d.socket.WriteToUDPAddrPort(a.data, a.from) // an error means that nobody is there
	}
	if d.mode.Kind != Slow {
		write()
		return
	}
	d.laterLocked(lateDatagram{send: write, drop: func() {}})
}

// laterLocked sends a datagram after the delay of the mode, and drops it if too many wait.
func (d *Datagrams) laterLocked(l lateDatagram) {
	if len(d.late) >= maxHeld || d.closed {
		l.drop()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(d.mode.Delay, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if _, ok := d.late[timer]; ok {
			delete(d.late, timer)
			l.send()
		}
	})
	d.late[timer] = l
}

// Passes reports whether questions go on as they come, so that nobody has to give them to Keep.
func (d *Datagrams) Passes() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mode.Kind == Pass || d.closed
}

// Keep takes a question whose program has a socket that is connected to nothing, and expects the
// answer from the address that it has asked: the question itself is sent or dropped, as the mode
// says, and the answer comes as it comes. Slow sends the question later. Nobody is told of a
// refusal, as the kernel tells no such program.
func (d *Datagrams) Keep(q Question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keepLocked(q)
}

func (d *Datagrams) keepLocked(q Question) {
	switch {
	case d.closed || d.mode.Kind == Pass:
		q.Send()
	case d.mode.Kind == Slow:
		d.laterLocked(lateDatagram{q.Send, q.Drop})
	case d.mode.Kind == Hang && len(d.kept) < maxHeld:
		d.kept = append(d.kept, q)
	default:
		q.Drop()
	}
}

// Close drops what is kept, and waits for the end of all goroutines.
func (d *Datagrams) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		d.all.Wait()
		return nil
	}
	d.closed = true
	if d.until != nil {
		d.until.Stop()
	}
	for timer, l := range d.late {
		timer.Stop()
		l.drop()
	}
	clear(d.late)
	for _, q := range d.kept {
		q.Drop()
	}
	d.kept = nil
	for _, target := range d.asking {
		target.Close()
	}
	err := d.socket.Close()
	d.mu.Unlock()
	d.all.Wait()
	return err
}
