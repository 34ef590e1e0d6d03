package proxy

import (
	"context"
	"errors"
	"net"
	"time"
)

// upstreamConn is an HTTP/1.1 connection to an endpoint. It belongs to one request at a time, or to
// the [upstreamPool].
type upstreamConn struct {
	*net.TCPConn
	in       readyReader
	endpoint *endpoint
	instance *instance // whose process accepted it
	address  string    // that was dialed
	kept     bool      // it has served a request before

	unusedSince time.Time // when the sweeper has seen it first since it was put into the pool

	attempt func(fd uintptr) bool // the method trySend; made once to save an allocation
	sending sending
}

// sending is what is sent at the moment.
type sending struct {
	piece   []byte           // nil after it was tried
	answer  bool             // the answer follows at once
	attempt *upstreamAttempt // is told when something was written
	n       int
	err     error
}

// errStale: a process that has ended, or that closes connections early, has closed a connection
// that was kept; or it has sent what nobody asked for, which is no answer.
var errStale = errors.New("it has closed the connection since the last request")

// newUpstreamConn dials an endpoint for an instance of its Pod.
func newUpstreamConn(ctx context.Context, e *endpoint, inst *instance, buffers lender) (*upstreamConn, error) {
	address := e.dialAddress()
	conn, err := dialInstance(ctx, &net.Dialer{Timeout: dialTimeout, KeepAlive: -1}, inst, address)
	if err != nil {
		return nil, err
	}
	u := &upstreamConn{TCPConn: conn, endpoint: e, instance: inst, address: address}
	u.attempt = u.trySend
	if err := u.in.init(conn, buffers); err != nil {
		_ = conn.Close() // nothing was sent
		return nil, &dialError{err}
	}
	return u, nil
}

// send sends the beginning of a request, unless the connection is stale. If answer is true, nothing
// else of the request follows, so it waits for the answer, too, whose beginning in.read then
// returns. n is how much was sent. An attempt is told as soon as something was.
func (u *upstreamConn) send(piece []byte, answer bool, attempt *upstreamAttempt) (n int, err error) {
	u.sending = sending{piece: piece, answer: answer, attempt: attempt}
	all, err := u.sendOnce()
	n, u.sending = u.sending.n, sending{}
	if all || err != nil {
		return n, err
	}
	rest, err := u.Write(piece[n:]) // there was no room for all of it
	if rest > 0 {
		attempt.markSent()
	}
	return n + rest, err
}

// interrupt ends the wait of whoever reads or writes, for good.
func (u *upstreamConn) interrupt() {
	_ = u.SetDeadline(time.Unix(1, 0)) // fails only if it is closed
}

// dialInstance connects to the instance that a request was sent to. inst may be nil. What is dialed
// may be the Pod's next process, which is not ready yet, so nobody gets a connection after the end
// of the instance.
func dialInstance(ctx context.Context, dialer *net.Dialer, inst *instance, address string) (*net.TCPConn, error) {
	if inst.hasEnded() {
		return nil, &dialError{errProcessEnded}
	}
	conn, err := dial(ctx, dialer, address)
	if err != nil {
		return nil, &dialError{err}
	}
	// The process may have ended meanwhile. Its end is known before the Pod's next process starts,
	// so a connection to that one is always noticed here.
	if inst.hasEnded() {
		_ = conn.Close() // nothing was sent
		return nil, &dialError{errProcessEnded}
	}
	return conn.(*net.TCPConn), nil
}

const (
	// lateTimer is by how much a timer comes late at most on a machine that is not too busy.
	lateTimer = 10 * time.Millisecond
	// maxLateDials is how many dials in a row may time out late.
	maxLateDials = 5
)

// dial connects to an address. A time-out that comes late says nothing of who listens there: this
// process had no processor time, and the connection may have been made long before. So it is tried
// again.
func dial(ctx context.Context, dialer *net.Dialer, address string) (conn net.Conn, err error) {
	for range maxLateDials {
		limit := time.Now().Add(dialer.Timeout + lateTimer)
		conn, err = dialer.DialContext(ctx, "tcp", address)
		timeout, ok := errors.AsType[net.Error](err)
		if !ok || !timeout.Timeout() || time.Now().Before(limit) || ctx.Err() != nil {
			break
		}
	}
	return conn, err
}

// hasEnded reports whether the process of an instance is known to have ended.
func (inst *instance) hasEnded() bool { return inst != nil && inst.inFlight.hasAny(flagClosed) }

var errProcessEnded = errors.New("the process has ended")

// dialError is a failure to connect: nothing was sent.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// isDialError reports whether a request failed because no connection was made.
func isDialError(err error) bool {
	_, ok := errors.AsType[*dialError](err)
	return ok
}
