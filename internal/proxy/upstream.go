package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Transports to replicas. They are all on this machine, so a connection costs little and closing
// early costs less than meeting a server that closes.
const (
	// idleUpstream is below the keep-alive time of every common server (gunicorn 2 s, Node and
	// uvicorn 5 s), so that we close first: a server that closes while a POST is on its way loses
	// it.
	idleUpstream = time.Second
	// maxIdleUpstream per replica: as many as requests come at a time, or connections are closed
	// and made anew all the time.
	maxIdleUpstream = 1024
	// maxUpstreamHeader bounds the head of an answer.
	maxUpstreamHeader = 1 << 20
)

// transports carry requests to replicas.
type transports struct {
	// http speaks HTTP/1.1 and keeps connections.
	http *http.Transport
	// fresh speaks HTTP/1.1 and makes a connection for each request.
	fresh *http.Transport
	// h2c speaks HTTP/2 with prior knowledge.
	h2c *http.Transport
}

// newTransports makes transports that close a connection when it was idle for so long.
func newTransports(idle time.Duration) *transports {
	dialer := &net.Dialer{Timeout: dialTimeout}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if a, ok := ctx.Value(attemptKey{}).(*upstreamAttempt); ok && a.instance.inFlight.hasAny(flagClosed) {
			return nil, &dialError{errEnded}
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, &dialError{err}
		}
		return conn, nil
	}
	counted := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return newUpstreamConn(conn.(*net.TCPConn), idle), nil
	}
	transport := func(idleConns int) *http.Transport {
		return &http.Transport{
			DialContext: counted, DisableCompression: true, MaxIdleConnsPerHost: idleConns,
			MaxResponseHeaderBytes: maxUpstreamHeader, ExpectContinueTimeout: time.Second,
		}
	}
	t := &transports{http: transport(maxIdleUpstream), fresh: transport(-1), h2c: transport(maxIdleUpstream)}
	t.h2c.DialContext = dial
	t.h2c.Protocols = new(http.Protocols)
	t.h2c.Protocols.SetUnencryptedHTTP2(true)
	// streams are refused before they are processed when such a connection closes, so nothing is
	// lost by it
	t.h2c.IdleConnTimeout = time.Minute
	return t
}

func (t *transports) close() {
	t.http.CloseIdleConnections()
	t.fresh.CloseIdleConnections()
	t.h2c.CloseIdleConnections()
}

// attemptKey is where a request's context keeps its [attempt], for the [life] of the Pod that it
// goes to. net/http sends what broke on a kept connection again by itself, to the same address; the
// process that listens there by then may be the next one, which is not ready yet.
type attemptKey struct{}

var errEnded = errors.New("the process has ended")

// dialError is a failure to connect: nothing was sent.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// isDial says whether a request failed because no connection was made.
func isDial(err error) bool {
	_, ok := errors.AsType[*dialError](err)
	return ok
}

// isUnsent says whether a request failed although a connection was there, and nothing of it was
// sent.
func isUnsent(err error) bool {
	_, ok := errors.AsType[*unsentError](err)
	return ok
}
