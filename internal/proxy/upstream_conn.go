package proxy

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// upstreamConn is an HTTP/1.1 connection to an endpoint. It counts its writes and its users, and
// closes itself when it had no user for a while.
//
// [net/http.Transport] has a timer for that, too, which is not safe here: it goes on while the
// connection is used. When it fires late, the connection may be idle again while its last answer is
// still on its way from one goroutine of the transport to another, and then that answer is lost.
type upstreamConn struct {
	*net.TCPConn
	writes      atomic.Uint64
	attempt     atomic.Pointer[upstreamAttempt] // is marked as sent by the next write; or nil
	users       atomic.Int64
	idleTimeout time.Duration
	idleTimer   *time.Timer
}

const (
	// usersClosed, as the number of users, means that the connection was closed because it had
	// none.
	usersClosed = -1
	// firstUseTimeout is how long a new connection waits for its first user. It may never get one:
	// the transport gives a request the connection that is free first, which may be another one.
	firstUseTimeout = time.Second
)

func newUpstreamConn(conn *net.TCPConn, timeout time.Duration) *upstreamConn {
	c := &upstreamConn{TCPConn: conn, idleTimeout: timeout}
	c.users.Store(1) // until the timer is set, which closeUnused needs
	c.idleTimer = time.AfterFunc(firstUseTimeout, c.closeUnused)
	c.users.Store(0)
	return c
}

// acquire makes the caller a user until it calls release, and reports whether it could: not if the
// connection was closed because it had no user. There may be two users for a moment, as the
// transport gives the connection to the next request when it has read an answer, which is before
// the first request has that answer.
func (c *upstreamConn) acquire() bool {
	for {
		n := c.users.Load()
		if n == usersClosed {
			return false
		}
		if c.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release ends the use that acquire began.
func (c *upstreamConn) release() {
	if c.users.Add(-1) == 0 {
		c.idleTimer.Reset(c.idleTimeout)
	}
}

// closeUnused closes the connection if it has no user.
func (c *upstreamConn) closeUnused() {
	if c.users.CompareAndSwap(0, usersClosed) {
		_ = c.Close() // without a user nothing can be lost
	}
}

// Close implements [net.Conn].
func (c *upstreamConn) Close() error {
	c.idleTimer.Stop()
	return c.TCPConn.Close()
}

// Write implements [net.Conn].
func (c *upstreamConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	if n > 0 {
		c.writes.Add(1)
		c.markSent()
	}
	return n, err
}

// ReadFrom implements [io.ReaderFrom]. It counts as a write even if nothing was written.
func (c *upstreamConn) ReadFrom(r io.Reader) (int64, error) {
	c.writes.Add(1)
	c.markSent()
	return c.TCPConn.ReadFrom(r)
}

// markSent marks the current attempt as sent.
func (c *upstreamConn) markSent() {
	if a := c.attempt.Load(); a != nil {
		c.attempt.CompareAndSwap(a, nil)
		a.markSent()
	}
}
