package engine

import (
	"io"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/healthcall"
	"github.com/probity-run/probity/probe/internal/verdict"
)

const (
	noSocket = -1

	// maxReads is after how many pieces an HTTP answer is left to net/http: for each piece, all
	// of the answer is read again.
	maxReads = 64
)

// exchange is the fast path of one attempt: a socket, and how far the conversation has got. It
// belongs to the loop, and is used again for other attempts.
type exchange struct {
	poller     *poller
	slot       int32
	generation int32 // tells events of earlier uses apart
	attempt    *attempt

	fd        int
	watched   uint32 // what epoll reports about fd
	connected bool
	out       []byte // what has to be sent
	sent      int    // bytes of out

	// HTTP
	reads    int
	received []byte // all that was received, if that was not enough to decide
	stage    stage  // what received amounts to

	// gRPC
	call  healthcall.Call
	retry timer // until the next connection is tried
}

// open starts a connection.
func (x *exchange) open() {
	to := newSocketAddress(x.attempt.target.fast.addr)
	fd, err := streamSocket(to.family)
	if err != nil {
		x.dialFailed("socket", err)
		return
	}
	x.fd = fd
	x.out = x.attempt.target.fast.request
	if x.attempt.target.fast.grpc != nil {
		x.out = x.call.Dialled()
	}
	if err := connect(fd, &to); err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		x.dialFailed("connect", err)
		return
	}
	x.progress()
}

// progress goes on as far as it can. Without being told by epoll it is called once, right after
// connecting: on loopback the connection stands then already.
func (x *exchange) progress() {
	switch {
	case len(x.out) == 0:
		x.greet()
	case x.sent < len(x.out):
		x.send()
	default:
		x.receive()
	}
}

// greet is all of a TCP attempt: connected is all it takes (R78).
func (x *exchange) greet() {
	if !connected(x.fd) {
		x.unconnected()
		return
	}
	if x.talksToItself() {
		x.leave(x.attempt.target.prober) // package net knows what to do
		return
	}
	x.attempt.finish(probe.Result{Outcome: probe.Success})
}

// unconnected waits for the connection, or finds out why there will be none.
func (x *exchange) unconnected() {
	failed, err := unix.GetsockoptInt(x.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		x.dialFailed("getsockopt", err)
	case failed != 0:
		x.dialFailed("connect", unix.Errno(failed))
	case x.watched != 0: // it stood and is gone again
		x.attempt.finish(probe.Result{Outcome: probe.Success})
	default:
		x.watch(unix.EPOLLOUT)
	}
}

// send sends what is left of out. Whether the connection stands shows in what the kernel says to
// that.
func (x *exchange) send() {
	n, err := write(x.fd, x.out[x.sent:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		x.watch(unix.EPOLLOUT)
	case err == unix.EPIPE || err != nil && x.connected: // it stands, or stood
		x.unwritable()
	case err != nil:
		x.dialFailed("connect", err)
	default:
		x.connected = true
		if x.sent += n; x.sent < len(x.out) {
			x.watch(unix.EPOLLOUT)
			return
		}
		x.watch(unix.EPOLLIN)
	}
}

// talksToItself reports whether nobody listens, and the port that the kernel chose for the
// connection happens to be the one that it asks for. Then TCP connects the socket with itself.
func (x *exchange) talksToItself() bool {
	local, err := unix.Getsockname(x.fd)
	return err == nil && addrPort(local) == x.attempt.target.fast.addr
}

// unwritable decides what it means that the peer takes no (more) request.
func (x *exchange) unwritable() {
	if x.attempt.target.fast.http != nil && x.sent > 0 {
		x.handOver(nil, nil) // a server may answer a request that it has not read to the end
		return
	}
	x.ended(unix.ECONNRESET)
}

// receive reads what has come.
func (x *exchange) receive() {
	n, err := read(x.fd, x.poller.buffer)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
	case err != nil:
		x.ended(err)
	case n == 0:
		x.ended(io.EOF)
	default:
		x.take(x.poller.buffer[:n])
	}
}

// take decides by what was received. Of HTTP it is kept if that is not enough to decide.
func (x *exchange) take(piece []byte) {
	if x.attempt.target.fast.grpc != nil {
		x.follow(x.call.Received(piece, x.attempt.late()))
		return
	}
	x.reads++
	data, generation := piece, x.generation
	if len(x.received) > 0 {
		x.received = append(x.received, piece...)
		data = x.received
	}
	x.takeHTTP(data)
	// else the exchange is another one by now
	if x.generation == generation && len(x.received) == 0 {
		x.received = append(x.received, piece...)
	}
}

func (x *exchange) takeHTTP(data []byte) {
	reply := readHTTP(data, false)
	switch {
	case reply.stage == decided:
		x.attempt.finish(resultOf(verdict.HTTP(reply.status, string(reply.body))))
	case reply.stage == foreign && x.talksToItself():
		x.leave(x.attempt.target.prober)
	case reply.stage == foreign || x.reads >= maxReads:
		x.handOver(data, nil)
	default:
		x.stage = reply.stage
	}
}

// ended decides what it means that nothing more can be read.
func (x *exchange) ended(end error) {
	switch a := x.attempt; {
	case a.target.fast.grpc != nil && a.late():
		a.expire() // a server that keeps the time too may break off what is overdue
	case a.target.fast.grpc != nil:
		x.follow(x.call.Ended(end))
	default:
		if reply := readHTTP(x.received, true); end == io.EOF && reply.stage == decided {
			a.finish(resultOf(verdict.HTTP(reply.status, string(reply.body))))
			return
		}
		x.handOver(x.received, end)
	}
}

// abandon ends the exchange. The attempt has its result, is cancelled, or goes on elsewhere.
func (x *exchange) abandon() {
	x.attempt.engine.wheel.remove(&x.retry)
	x.hangUp()
	x.attempt, x.call = nil, healthcall.Call{}
	x.poller.free = append(x.poller.free, x)
}

// hangUp closes the connection, if there is one, and forgets it.
func (x *exchange) hangUp() {
	if x.fd != noSocket {
		hangUp(x.fd, x.attempt.target.fast.http != nil)
	}
	x.forget()
}

// forget makes the exchange ready for another connection. Late events of this one do not concern it
// any more.
func (x *exchange) forget() {
	x.generation++
	x.fd, x.watched, x.connected = noSocket, 0, false
	x.out, x.sent, x.reads, x.received, x.stage = nil, 0, 0, nil, inHead
}
