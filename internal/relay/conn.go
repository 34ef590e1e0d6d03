package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// conn is one connection through a relay: a program's, and one to the destination.
type conn struct {
	relay   *Relay
	program *net.TCPConn

	// Guarded by relay.mu.
	mode    Mode
	changed chan struct{} // closed when mode is another
	carried int64         // since the mode was set
	target  *net.TCPConn  // nil until it is connected
	broken  bool
}

func newConn(r *Relay, program *net.TCPConn) *conn {
	return &conn{relay: r, program: program, changed: make(chan struct{})}
}

// setModeLocked has the relay's lock.
func (c *conn) setModeLocked(m Mode) {
	c.mode, c.carried = m, 0
	close(c.changed)
	c.changed = make(chan struct{})
	if m.Kind == Down || m.Kind == Reset && m.After == 0 {
		c.breakLocked()
	}
}

// breakLocked resets both sides, which ends every goroutine of the connection. It has the relay's
// lock.
func (c *conn) breakLocked() {
	if c.broken {
		return
	}
	c.broken = true
	close(c.changed)
	c.changed = make(chan struct{})
	reset(c.program)
	if c.target != nil {
		reset(c.target)
	}
}

func (c *conn) cut() {
	c.relay.mu.Lock()
	defer c.relay.mu.Unlock()
	c.breakLocked()
}

// reset ends a connection so that the other side gets ECONNRESET.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // an error means that it has ended
	_ = c.Close()
}

// run carries the connection to its end.
func (c *conn) run() {
	target, err := c.reach()
	if err != nil {
		c.cut()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { c.carry(target, c.program, false) })
	both.Go(func() { c.carry(c.program, target, true) })
	both.Wait()
	c.program.Close()
	target.Close()
}

// reach connects to the destination, as soon as the mode lets it.
func (c *conn) reach() (*net.TCPConn, error) {
	if !c.await() {
		return nil, net.ErrClosed
	}
	target := c.relay.spares.take()
	if target == nil {
		var err error
		if target, err = c.relay.dial(c.relay.ctx); err != nil {
			return nil, err
		}
	}
	c.relay.mu.Lock()
	defer c.relay.mu.Unlock()
	if c.broken {
		reset(target)
		return nil, net.ErrClosed
	}
	c.target = target
	return target, nil
}

// await waits while the mode lets nothing pass. It reports false if the connection is broken.
func (c *conn) await() bool {
	for {
		mode, changed, broken := c.now()
		if broken {
			return false
		}
		if mode.Kind != Hang && mode.Kind != Dead {
			return true
		}
		<-changed
	}
}

func (c *conn) now() (mode Mode, changed <-chan struct{}, broken bool) {
	c.relay.mu.Lock()
	defer c.relay.mu.Unlock()
	return c.mode, c.changed, c.broken
}

// chunkSize is how much is read at once.
const chunkSize = 32 << 10

// carry passes on one direction, until its sender has no more to say.
func (c *conn) carry(to, from *net.TCPConn, answers bool) {
	buf := make([]byte, chunkSize)
	var late *lateLine // from the first chunk on that is to be late
	defer func() { late.wait() }()
	for {
		n, err := from.Read(buf)
		if n > 0 {
			mode, _, _ := c.now()
			if late == nil && answers && mode.Kind == Slow {
				late = newLateLine(c, to)
			}
			if late != nil {
				late.put(append([]byte(nil), buf[:n]...), mode)
			} else if !c.pass(to, buf[:n]) {
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			if late != nil {
				late.put(nil, Mode{})
				return
			}
			c.finish(to)
			return
		default:
			// What has come before the reset may still be on its way to a slow reader.
			late.wait()
			if c.await() {
				c.cut()
			}
			return
		}
	}
}

// finish passes on the end of a direction.
func (c *conn) finish(to *net.TCPConn) {
	if c.await() {
		_ = to.CloseWrite() // an error means that it has ended
	}
}

// pass writes data when the mode lets it, and reports whether the connection goes on.
func (c *conn) pass(to *net.TCPConn, data []byte) bool {
	for len(data) > 0 {
		if !c.await() {
			return false
		}
		n, last := c.allow(len(data))
		if n > 0 {
			if _, err := to.Write(data[:n]); err != nil {
				c.cut()
				return false
			}
			data = data[n:]
		}
		if last {
			c.drainThenCut(to)
			return false
		}
	}
	return true
}

// allow counts n bytes. If the connection is to be reset before they have all passed, it says how
// many do, and that they are the last.
func (c *conn) allow(n int) (allowed int, last bool) {
	c.relay.mu.Lock()
	defer c.relay.mu.Unlock()
	if c.mode.Kind != Reset {
		c.carried += int64(n)
		return n, false
	}
	left := max(c.mode.After-c.carried, 0)
	if int64(n) < left {
		c.carried += int64(n)
		return n, false
	}
	c.carried += left
	return int(left), true
}

// drainTime is how long a reset waits until what was passed has been taken: a reset drops what is
// on its way.
const drainTime = 100 * time.Millisecond

func (c *conn) drainThenCut(to *net.TCPConn) {
	ctx, cancel := context.WithTimeout(c.relay.ctx, drainTime)
	defer cancel()
	awaitSent(ctx, to)
	c.cut()
}
