package engine

import (
	"io"
	"math"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/probe"
)

const (
	noSocket = -1

	// maxReads is after how many pieces an answer is left to net/http or grpc: each piece costs a
	// look at all.
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
	sent      int // bytes of the request
	owed      int // bytes of acknowledgements that were sent
	reads     int
	received  []byte // all that was received, if that was not enough to decide
	stage     stage  // what received amounts to
	retries   int
	retry     timer // until the next connection is tried
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
	if err := connect(fd, &to); err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		x.dialFailed("connect", err)
		return
	}
	x.progress()
}

// progress goes on as far as it can. Without being told by epoll it is called once, right after
// connecting: on loopback the connection stands then already.
func (x *exchange) progress() {
	request := x.attempt.target.fast.request
	switch {
	case len(request) == 0:
		x.greet()
	case x.sent < len(request):
		x.send(request)
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

// send sends what is left of the request. Whether the connection stands shows in what the kernel
// says to that.
func (x *exchange) send(request []byte) {
	n, err := write(x.fd, request[x.sent:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		x.watch(unix.EPOLLOUT)
	case err == unix.EPIPE || err != nil && x.connected: // it stands, or stood
		x.unwritable()
	case err != nil:
		x.dialFailed("connect", err)
	default:
		x.connected = true
		if x.sent += n; x.sent < len(request) {
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

// take looks at what was received, and keeps it if that is not enough to decide.
func (x *exchange) take(piece []byte) {
	x.reads++
	data, generation := piece, x.generation
	if len(x.received) > 0 {
		x.received = append(x.received, piece...)
		data = x.received
	}
	if x.attempt.target.fast.grpc != nil {
		x.takeGRPC(data)
	} else {
		x.takeHTTP(data)
	}
	// else the exchange is another one by now
	if x.generation == generation && len(x.received) == 0 {
		x.received = append(x.received, piece...)
	}
}

func (x *exchange) takeHTTP(data []byte) {
	reply := readHTTP(data, false)
	switch {
	case reply.stage == decided:
		x.attempt.finish(probe.HTTPVerdict(reply.status, string(reply.body)))
	case reply.stage == foreign && x.talksToItself():
		x.leave(x.attempt.target.prober)
	case reply.stage == foreign || x.reads >= maxReads:
		x.handOver(data, nil)
	default:
		x.stage = reply.stage
	}
}

func (x *exchange) takeGRPC(data []byte) {
	reply := readGRPC(data)
	timeout := x.attempt.target.fast.timeout
	switch {
	case reply.stage == decided && reply.code == 0:
		x.attempt.finish(probe.GRPCVerdict(reply.serving))
	case reply.stage == decided:
		x.attempt.finish(probe.GRPCCallVerdict(reply.code, reply.message, timeout))
	case reply.stage == foreign && x.talksToItself():
		x.leave(x.attempt.target.prober)
	case reply.stage == foreign && !reply.connected:
		x.again()
	case reply.stage == foreign && time.Since(x.attempt.began) >= timeout:
		// a server that keeps the time too breaks off what is overdue
		x.attempt.finish(probe.GRPCCallVerdict(codeDeadlineExceeded, "", timeout))
	case reply.stage == foreign || x.reads >= maxReads:
		x.leave(x.attempt.target.prober)
	default:
		if reply.connected {
			x.stage = inBody
		}
		if owed := reply.owed[x.owed:]; len(owed) > 0 {
			if n, err := write(x.fd, owed); err == nil {
				// what does not fit, or goes nowhere, has time until the next piece comes
				x.owed += n
			}
		}
	}
}

// ended decides what it means that nothing more can be read.
func (x *exchange) ended(end error) {
	switch t := x.attempt.target.fast; {
	case t.grpc == nil:
		if reply := readHTTP(x.received, true); end == io.EOF && reply.stage == decided {
			x.attempt.finish(probe.HTTPVerdict(reply.status, string(reply.body)))
			return
		}
		x.handOver(x.received, end)
	case x.stage == inHead:
		x.again()
	default:
		x.attempt.finish(probe.GRPCCallVerdict(codeUnavailable, "error reading from server: "+end.Error(), t.timeout))
	}
}

// again tries another connection after a while, as grpc does (R93): after a second, then less and
// less often.
func (x *exchange) again() {
	x.hangUp()
	pause := float64(time.Second) * math.Pow(1.6, float64(x.retries))
	if x.retries > 0 {
		pause *= 0.8 + 0.4*rand.Float64()
	}
	x.retries++
	e := x.attempt.engine
	e.at(time.Now().Add(time.Duration(pause)), &x.retry)
}

// abandon ends the exchange. The attempt has its result, is cancelled, or goes on elsewhere.
func (x *exchange) abandon() {
	x.attempt.engine.wheel.remove(&x.retry)
	x.hangUp()
	x.attempt, x.retries = nil, 0
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
	x.sent, x.owed, x.reads, x.received, x.stage = 0, 0, 0, nil, inHead
}
