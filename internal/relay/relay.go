package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Options of a [Relay] or [Datagrams].
type Options struct {
	// Target is the destination. Required.
	Target netip.AddrPort
	// AllowRemote lets Target be on another machine. Default: it is refused.
	AllowRemote bool
	// MaxConnections is how many there may be at a time; more are reset. Each takes two
	// descriptors, 64 KiB and, while it is slow, up to 2 MiB, but all of them together 64 MiB.
	// Datagrams count each port of a program. Default 1024.
	MaxConnections int
	// ReachTime is how long [Relay.Reach] waits for the destination. Default 25 ms.
	ReachTime time.Duration
	// Mode is that from the beginning on. Default: pass.
	Mode Mode
}

const defaultReachTime = 25 * time.Millisecond

const defaultConnections = 1024

// check gives the options their defaults and says what is wrong with them.
func (o *Options) check() error {
	o.MaxConnections = cmp.Or(o.MaxConnections, defaultConnections)
	o.ReachTime = cmp.Or(o.ReachTime, defaultReachTime)
	o.Target = netip.AddrPortFrom(o.Target.Addr().Unmap(), o.Target.Port())
	switch {
	case !o.Target.IsValid() || o.Target.Port() == 0:
		return fmt.Errorf("a relay cannot lead to %v", o.Target)
	case !o.AllowRemote && !o.Target.Addr().IsLoopback():
		return fmt.Errorf("%v is not on this machine: connections to it are let be", o.Target)
	}
	return o.Mode.Check()
}

// here is the loopback address of the target's family.
func (o *Options) here() string {
	if o.Target.Addr().Is4() {
		return "127.0.0.1:0"
	}
	return "[::1]:0"
}

// Relay carries the TCP connections to one destination. Make it with [New]; it is safe for
// concurrent use. Its goroutines end with Close, which joins them.
type Relay struct {
	opts   Options
	door   *door
	ctx    context.Context // ends with Close
	end    context.CancelFunc
	all    sync.WaitGroup // goroutines
	spares spares
	late   chan struct{} // has an item for each chunk that is kept until it is due

	mu    sync.Mutex // guards what follows, and the modes of conns
	mode  Mode
	until *time.Timer // of Mode.For, may be nil
	conns map[*conn]struct{}
	stats Stats
}

// Stats count what a relay has carried.
type Stats struct {
	// Connections that were accepted so far, and how many of them are open.
	Connections, Open int64
	// TooMany were reset because of Options.MaxConnections.
	TooMany int64
}

// New starts a relay.
func New(opts Options) (*Relay, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	door, err := openDoor(opts.here())
	if err != nil {
		return nil, fmt.Errorf("cannot make a relay to %v: %w", opts.Target, err)
	}
	r := &Relay{opts: opts, door: door, conns: map[*conn]struct{}{}, late: make(chan struct{}, maxLateTogether)}
	r.ctx, r.end = context.WithCancel(context.Background())
	if err := r.SetMode(opts.Mode); err != nil {
		r.end()
		return nil, errors.Join(err, door.close())
	}
	r.all.Go(func() { door.accept(func(c *net.TCPConn) { r.all.Go(func() { r.serve(c) }) }) })
	return r, nil
}

// Address is where it listens.
func (r *Relay) Address() netip.AddrPort { return r.door.address }

// Mode is what it does now.
func (r *Relay) Mode() Mode {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mode
}

// Stats are its counts.
func (r *Relay) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats := r.stats
	stats.Open = int64(len(r.conns))
	return stats
}

// SetMode changes what it does, from now on. After an error everything is as before, or the relay
// listens no more.
func (r *Relay) SetMode(m Mode) error {
	if err := m.Check(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.setModeLocked(m)
}

func (r *Relay) setModeLocked(m Mode) error {
	if r.ctx.Err() != nil {
		return net.ErrClosed
	}
	if err := r.door.set(m.forNew().Kind); err != nil {
		return fmt.Errorf("cannot be %v: %w", m.Kind, err)
	}
	if r.until != nil {
		r.until.Stop()
		r.until = nil
	}
	r.mode = m
	for c := range r.conns {
		c.setModeLocked(m.forOpen())
	}
	if m.For > 0 {
		r.expireLocked(m.For)
	}
	return nil
}

// expireLocked has the relay pass again after a time.
func (r *Relay) expireLocked(after time.Duration) {
	var timer *time.Timer
	timer = time.AfterFunc(after, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.until == timer { // else another mode was set meanwhile
			_ = r.setModeLocked(Mode{}) // an error means that it is closed, or that its address is gone
		}
	})
	r.until = timer
}

// serve carries a connection that was accepted.
func (r *Relay) serve(program *net.TCPConn) {
	c := newConn(r, program)
	r.mu.Lock()
	r.stats.Connections++
	crowded, closed := len(r.conns) >= r.opts.MaxConnections, r.ctx.Err() != nil
	if crowded {
		r.stats.TooMany++
	}
	if crowded || closed {
		r.mu.Unlock()
		reset(program)
		return
	}
	r.conns[c] = struct{}{}
	c.setModeLocked(r.mode.forNew())
	r.mu.Unlock()
	c.run()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

// Close ends all connections by a reset, and waits for the end of all goroutines.
func (r *Relay) Close() error {
	r.mu.Lock()
	r.end()
	if r.until != nil {
		r.until.Stop()
	}
	for c := range r.conns {
		c.breakLocked()
	}
	err := r.door.close()
	r.mu.Unlock()
	r.spares.close()
	r.all.Wait()
	return err
}
