package engine

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/dial"
)

// resumed is a Prober that lets net/http go on with an attempt that the fast path began: over the
// same connection, and with the bytes that were sent and received already.
type resumed struct {
	get  probe.HTTPGet // with the time that is left
	conn *usedConn

	// when the attempt began, and what was seen of it since then
	began               time.Time
	connected, answered time.Duration
}

// Probe performs the attempt's rest. Redirects open connections of their own.
func (i resumed) Probe(ctx context.Context) probe.Result {
	defer i.conn.Close()
	var taken, redirected atomic.Bool
	shift := time.Since(i.began)
	client := &probe.HTTPClient{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if taken.CompareAndSwap(false, true) {
			return i.conn, nil
		}
		redirected.Store(true)
		return dial.Context(ctx, network, address)
	}}
	defer client.Close()
	get := i.get
	get.Client = client
	result := get.Probe(ctx)
	d := &result.Detail
	d.Total += shift
	if d.FirstByte > 0 {
		d.FirstByte += shift
	}
	if redirected.Load() {
		d.Connect += shift
	} else {
		d.Connect, d.FirstByte = i.connected, cmp.Or(i.answered, d.FirstByte)
	}
	return result
}

// usedConn is a connection over which a part of a request, or of its answer, has gone. To its new
// owner it behaves like a new one: what is written is dropped as far as it was sent before, then
// what was received can be read.
type usedConn struct {
	net.Conn
	sent     int // bytes to drop, because they were sent
	received []byte
	local    net.Addr
	remote   net.Addr
	end      error // what reading ends with after received; nil: the connection goes on

	// asked is closed when the request is written: net/http takes an answer that comes before for
	// an error.
	asked chan struct{}
	once  sync.Once
}

func (c *usedConn) ask() { c.once.Do(func() { close(c.asked) }) }

func (c *usedConn) Write(p []byte) (int, error) {
	defer c.ask()
	dropped := min(c.sent, len(p))
	c.sent -= dropped
	if dropped == len(p) {
		return dropped, nil
	}
	n, err := c.Conn.Write(p[dropped:])
	return dropped + n, err
}

func (c *usedConn) Read(p []byte) (int, error) {
	<-c.asked
	if len(c.received) > 0 {
		n := copy(p, c.received)
		c.received = c.received[n:]
		return n, nil
	}
	if err := c.end; err != nil {
		c.end = io.EOF // a socket reports a reset once, and net/http may miss it
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if op, ok := errors.AsType[*net.OpError](err); ok {
		op.Source, op.Addr = c.local, c.remote // the system forgets them when the peer resets
	}
	return n, err
}

// RemoteAddr is the peer's address, which the system forgets when the peer resets.
func (c *usedConn) RemoteAddr() net.Addr { return c.remote }

func (c *usedConn) Close() error {
	c.ask()
	return c.Conn.Close()
}

func (c *usedConn) SetDeadline(t time.Time) error {
	c.ask()
	return c.Conn.SetDeadline(t)
}
