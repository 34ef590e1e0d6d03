package engine

import (
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/healthcall"
)

const (
	noSocket = -1

	// maxReads is after how many reads an HTTP answer is left to net/http: after each read, the
	// whole answer is parsed again.
	maxReads = 64
)

// conn is the fast path of one attempt: a socket, what was sent and received over it, and what that
// amounts to so far. It belongs to the loop, and is used again for other attempts.
type conn struct {
	poller     *poller
	slot       int32
	generation int32 // changes with each use, so that late events of an earlier one are recognised
	attempt    *attempt

	fd        int
	watched   uint32 // what epoll reports about fd
	connected bool
	out       []byte // what has to be sent
	sent      int    // bytes of out

	// of the last connection that was made, since the attempt began; 0 if it has not come to that
	connectedAt, answeredAt time.Duration

	// HTTP
	reads    int
	received []byte // all that was received, if that was not enough to decide
	stage    stage  // what received amounts to
	status   int    // if inBody

	// gRPC
	call  healthcall.Call
	retry timer // until the next connection is tried
}

// open starts a connection.
func (c *conn) open() {
	to := newSocketAddress(c.attempt.target.fast.addr)
	fd, err := streamSocket(to.family)
	if err != nil {
		c.dialFailed("socket", err)
		return
	}
	c.fd = fd
	c.out = c.attempt.target.fast.request
	if c.attempt.target.fast.grpc != nil {
		c.out = c.call.Dialled()
	}
	if err := connect(fd, &to); err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		c.dialFailed("connect", err)
		return
	}
	c.progress()
}

// progress takes the next step that the socket allows. It is called when epoll reports the socket,
// and once right after connecting: on loopback the connection is established by then.
func (c *conn) progress() {
	switch {
	case len(c.out) == 0:
		c.finishTCP()
	case c.sent < len(c.out):
		c.send()
	default:
		c.receive()
	}
}

// finishTCP ends a TCP attempt when the connection is established: nothing else is asked (R78).
func (c *conn) finishTCP() {
	if !connected(c.fd) {
		c.unconnected()
		return
	}
	if c.selfConnected() {
		c.fallBack(c.attempt.target.prober) // package net dials again then
		return
	}
	c.connectedAt = time.Since(c.attempt.began)
	c.attempt.finish(probe.Result{Outcome: probe.Success})
}

// unconnected waits for the connection, or finds out why there will be none.
func (c *conn) unconnected() {
	failed, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		c.dialFailed("getsockopt", err)
	case failed != 0:
		c.dialFailed("connect", unix.Errno(failed))
	case c.watched != 0: // it was established and is gone again
		c.attempt.finish(probe.Result{Outcome: probe.Success})
	default:
		c.watch(unix.EPOLLOUT)
	}
}

// send sends what is left of out. Whether the connection is established shows in the result of
// that.
func (c *conn) send() {
	n, err := write(c.fd, c.out[c.sent:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		c.watch(unix.EPOLLOUT)
	case err == unix.EPIPE || err != nil && c.connected: // it is, or was, established
		c.unwritable()
	case err != nil:
		c.dialFailed("connect", err)
	default:
		if !c.connected {
			c.connected, c.connectedAt, c.answeredAt = true, time.Since(c.attempt.began), 0
		}
		if c.sent += n; c.sent < len(c.out) {
			c.watch(unix.EPOLLOUT)
			return
		}
		c.watch(unix.EPOLLIN)
	}
}

// selfConnected reports whether nobody listens, and the port that the kernel chose for the
// connection happens to be the one that it asks for. Then TCP connects the socket with itself.
func (c *conn) selfConnected() bool {
	local, err := unix.Getsockname(c.fd)
	return err == nil && addrPort(local) == c.attempt.target.fast.addr
}

// unwritable decides what it means that the peer does not take the request, or the rest of it.
func (c *conn) unwritable() {
	if c.attempt.target.fast.http != nil && c.sent > 0 {
		c.handOver(nil, nil) // a server may answer a request that it has not read to the end
		return
	}
	c.ended(unix.ECONNRESET)
}

// receive reads what has come.
func (c *conn) receive() {
	n, err := read(c.fd, c.poller.buffer)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
	case err != nil:
		c.ended(err)
	case n == 0:
		c.ended(io.EOF)
	default:
		if c.answeredAt == 0 {
			c.answeredAt = time.Since(c.attempt.began)
		}
		c.take(c.poller.buffer[:n])
	}
}

// take decides by what was received. For HTTP, it is kept if that is not enough to decide.
func (c *conn) take(piece []byte) {
	if c.attempt.target.fast.grpc != nil {
		c.follow(c.call.Received(piece, c.attempt.late()))
		return
	}
	c.reads++
	data, generation := piece, c.generation
	if len(c.received) > 0 {
		c.received = append(c.received, piece...)
		data = c.received
	}
	c.takeHTTP(data)
	// else the connection is over, or belongs to another attempt by now
	if c.generation == generation && len(c.received) == 0 {
		c.received = append(c.received, piece...)
	}
}

// takeHTTP decides by all that was received of an HTTP answer.
func (c *conn) takeHTTP(data []byte) {
	reply := readHTTP(data, false)
	switch {
	case reply.stage == decided:
		c.attempt.finish(reply.result())
	case reply.stage == unsupported && c.selfConnected():
		c.fallBack(c.attempt.target.prober)
	case reply.stage == unsupported || c.reads >= maxReads:
		c.handOver(data, nil)
	default:
		c.stage, c.status = reply.stage, reply.status
	}
}

// ended decides what it means that nothing more can be read.
func (c *conn) ended(end error) {
	switch a := c.attempt; {
	case a.target.fast.grpc != nil && a.late():
		a.expire() // a server that keeps the time too may break off what is overdue
	case a.target.fast.grpc != nil:
		c.follow(c.call.Ended(end))
	default:
		if reply := readHTTP(c.received, true); end == io.EOF && reply.stage == decided {
			a.finish(reply.result())
			return
		}
		c.handOver(c.received, end)
	}
}

// complete adds what the fast path saw to the detail of a result.
func (c *conn) complete(r *probe.Result) {
	t, d := c.attempt.target.fast, &r.Detail
	d.Connect, d.FirstByte, d.Total = c.connectedAt, c.answeredAt, time.Since(c.attempt.began)
	if c.connectedAt > 0 {
		d.Remote = t.remote
	}
	if t.grpc != nil { // its verdict does not tell
		d.TimedOut = r.Outcome == probe.Failure && d.Total >= t.timeout
	}
}

// abandon gives the connection up. The attempt has its result, is cancelled, or goes on elsewhere.
func (c *conn) abandon() {
	c.attempt.engine.wheel.remove(&c.retry)
	c.close()
	c.attempt, c.call = nil, healthcall.Call{}
	c.connectedAt, c.answeredAt = 0, 0
	c.poller.free = append(c.poller.free, c)
}

// close closes the connection, if there is one, and forgets it.
func (c *conn) close() {
	if c.fd != noSocket {
		closeSocket(c.fd, c.attempt.target.fast.http != nil)
	}
	c.forget()
}

// forget makes c ready for another connection. Late events of this one are ignored from now on.
func (c *conn) forget() {
	c.generation++
	c.fd, c.watched, c.connected = noSocket, 0, false
	c.out, c.sent, c.reads, c.received, c.stage, c.status = nil, 0, 0, nil, inHead, 0
}
