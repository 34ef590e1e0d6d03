package proxy

import (
	"context"
	"net/http/httptrace"
)

// upstreamTrace follows one request at a time to the connection that [net/http.Transport] sends it
// over, by [httptrace], to find out whether anything of it was sent. That matters for requests that
// must not be sent twice: a kept connection to a process that has ended looks well until it is
// used, and net/http does not tell whether it wrote a request to it. So, just before such a request
// is written, the trace checks the connection: if the endpoint has closed it, the trace closes it,
// too, and nothing is written.
type upstreamTrace struct {
	onGotConn    func(httptrace.GotConnInfo) // the method gotConn; made once to save an allocation
	attempt      *upstreamAttempt
	notTwice     bool          // the request must not be sent twice
	conn         *upstreamConn // in use for the request; nil if there is none
	writesBefore uint64        // writes of conn before the request
	closed       bool          // the connection was closed before anything was written
}

func newUpstreamTrace() *upstreamTrace {
	ut := &upstreamTrace{}
	ut.onGotConn = ut.gotConn
	return ut
}

// gotConn is called by the transport when it has a connection for the request.
func (ut *upstreamTrace) gotConn(info httptrace.GotConnInfo) {
	ut.release()
	conn := info.Conn.(*upstreamConn)
	if conn.acquire() {
		ut.conn, ut.writesBefore = conn, conn.writes.Load()
		conn.attempt.Store(ut.attempt)
	}
	if ut.closed = ut.conn == nil || ut.notTwice && info.Reused && isStale(conn.TCPConn); ut.closed {
		_ = conn.Close() // makes the request fail, which is then sent over another connection
	}
}

// start forgets the last request and returns the context of the next one. It has a new ClientTrace
// each time: net/http changes that, and reads it even when the request is over.
func (ut *upstreamTrace) start(ctx context.Context, a *upstreamAttempt, notTwice bool) context.Context {
	ut.release()
	ut.attempt, ut.notTwice, ut.closed = a, notTwice, false
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: ut.onGotConn})
}

// unsent reports whether it is certain that nothing of the request was written.
func (ut *upstreamTrace) unsent() bool {
	return ut.closed || ut.conn != nil && ut.conn.writes.Load() == ut.writesBefore
}

// release ends the use of the connection.
func (ut *upstreamTrace) release() {
	if ut.conn != nil {
		ut.conn.release()
		ut.conn = nil
	}
}
