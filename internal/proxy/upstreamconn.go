package proxy

import (
	"context"
	"io"
	"net"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// upstreamConn is a connection to a replica. It knows whether something was written to it since it
// was last asked, and who uses it, and closes when nobody has for a while.
//
// The timer that [net/http.Transport] has for that is of no use here: it goes on while the
// connection is used, and when it fires late, the connection may be idle again while its last
// answer is still on its way from one goroutine to another. That answer is lost then.
type upstreamConn struct {
	*net.TCPConn
	writes  atomic.Uint64
	attempt atomic.Pointer[upstreamAttempt] // that is told of the next write
	users   atomic.Int64
	timeout time.Duration
	idle    *time.Timer
}

const (
	// retired is the number of users of a connection that was closed because it had none.
	retired = -1
	// unclaimed is how long a new connection has for its first user. It may have none: the
	// transport gives a request whatever is free first.
	unclaimed = time.Second
)

func newUpstreamConn(conn *net.TCPConn, timeout time.Duration) *upstreamConn {
	c := &upstreamConn{TCPConn: conn, timeout: timeout}
	c.users.Store(1) // until the timer is there
	c.idle = time.AfterFunc(unclaimed, c.retire)
	c.users.Store(0)
	return c
}

// take makes the caller a user until it calls release, unless the connection is retired. Two
// requests may use one for a moment: the transport gives it to the next one when it has read the
// answer, and that is before the first one has it.
func (c *upstreamConn) take() bool {
	for {
		n := c.users.Load()
		if n == retired {
			return false
		}
		if c.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (c *upstreamConn) release() {
	if c.users.Add(-1) == 0 {
		c.idle.Reset(c.timeout)
	}
}

func (c *upstreamConn) retire() {
	if c.users.CompareAndSwap(0, retired) {
		_ = c.Close() // there is nobody who would lose anything
	}
}

// Close implements [net.Conn].
func (c *upstreamConn) Close() error {
	c.idle.Stop()
	return c.TCPConn.Close()
}

// Write implements [net.Conn].
func (c *upstreamConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	if n > 0 {
		c.writes.Add(1)
		c.tell()
	}
	return n, err
}

// ReadFrom implements [io.ReaderFrom]. It counts as written even if nothing was.
func (c *upstreamConn) ReadFrom(r io.Reader) (int64, error) {
	c.writes.Add(1)
	c.tell()
	return c.TCPConn.ReadFrom(r)
}

func (c *upstreamConn) tell() {
	if a := c.attempt.Load(); a != nil {
		c.attempt.CompareAndSwap(a, nil)
		a.markSent()
	}
}

// witness uses the connection of a request, and sees whether the request was sent, for those that
// must not be sent twice. A kept connection of a process that has ended looks fine until it is
// used, and net/http does not tell whether a request got onto it. So the witness looks at the
// connection just before: one that the replica has closed is closed here, too, and what was to be
// written to it is not.
type witness struct {
	hook    func(httptrace.GotConnInfo) // got, made once
	attempt *upstreamAttempt
	once    bool // the request must not be sent twice
	conn    *upstreamConn
	before  uint64
	closed  bool // before anything was written
}

func newWitness() *witness {
	w := &witness{}
	w.hook = w.got
	return w
}

func (w *witness) got(info httptrace.GotConnInfo) {
	w.leave()
	conn := info.Conn.(*upstreamConn)
	if conn.take() {
		w.conn, w.before = conn, conn.writes.Load()
		conn.attempt.Store(w.attempt)
	}
	if w.closed = w.conn == nil || w.once && info.Reused && isStale(conn.TCPConn); w.closed {
		_ = conn.Close() // the request fails by it, and is sent on another connection
	}
}

// begin forgets the last request and returns the context of the next one. The trace is a new one
// each time: net/http changes it, and reads it when the request is over.
func (w *witness) begin(ctx context.Context, a *upstreamAttempt, once bool) context.Context {
	w.leave()
	w.attempt, w.once, w.closed = a, once, false
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: w.hook})
}

// unsent says whether nothing of the request was written.
func (w *witness) unsent() bool { return w.closed || w.conn != nil && w.conn.writes.Load() == w.before }

// leave ends the use of the connection.
func (w *witness) leave() {
	if w.conn != nil {
		w.conn.release()
		w.conn = nil
	}
}
