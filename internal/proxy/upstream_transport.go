package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Limits of connections to endpoints. All endpoints are on this machine, so a new connection costs
// little: it is better to close one too early than to use one that the server is about to close.
const (
	// upstreamIdleTimeout is below the keep-alive time of every common server (gunicorn 2 s, Node
	// and uvicorn 5 s), so that the proxy closes first: when a server closes while a POST is on its
	// way, the POST is lost.
	upstreamIdleTimeout = time.Second
	// upstreamMaxIdle is how many unused connections are kept for each endpoint. With fewer than
	// there are requests at a time, connections would be closed and made again all the time.
	upstreamMaxIdle = 1024
	// upstreamMaxHeader bounds the head of an answer.
	upstreamMaxHeader = 1 << 20
)

// transports send requests to endpoints.
type transports struct {
	// http1 speaks HTTP/1.1 and keeps connections.
	http1 *http.Transport
	// http1Fresh speaks HTTP/1.1 and makes a connection for each request.
	http1Fresh *http.Transport
	// h2c speaks HTTP/2 with prior knowledge.
	h2c *http.Transport
}

// newTransports makes transports that close a connection when nobody has used it for idleTimeout.
func newTransports(idleTimeout time.Duration) *transports {
	dialer := &net.Dialer{Timeout: dialTimeout}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialInstance(ctx, dialer, network, address)
	}
	dialHTTP1 := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return newUpstreamConn(conn.(*net.TCPConn), idleTimeout), nil
	}
	transport := func(idleConns int) *http.Transport {
		return &http.Transport{
			DialContext: dialHTTP1, DisableCompression: true, MaxIdleConnsPerHost: idleConns,
			MaxResponseHeaderBytes: upstreamMaxHeader, ExpectContinueTimeout: time.Second,
		}
	}
	t := &transports{http1: transport(upstreamMaxIdle), http1Fresh: transport(-1), h2c: transport(upstreamMaxIdle)}
	t.h2c.DialContext = dial
	t.h2c.Protocols = new(http.Protocols)
	t.h2c.Protocols.SetUnencryptedHTTP2(true)
	// longer than for HTTP/1.1: a server that closes an HTTP/2 connection says which streams it did
	// not process, so nothing is lost by it
	t.h2c.IdleConnTimeout = time.Minute
	return t
}

func (t *transports) close() {
	t.http1.CloseIdleConnections()
	t.http1Fresh.CloseIdleConnections()
	t.h2c.CloseIdleConnections()
}

// attemptContextKey is where a request's context keeps its [upstreamAttempt], so that a dial knows
// whether the [instance] that the request was sent to has ended. When a kept connection breaks,
// net/http sends the request again by itself, to the same address; by then the Pod's next process
// may listen there, which is not ready yet.
type attemptContextKey struct{}

// dialInstance connects to the instance that a request was sent to.
func dialInstance(ctx context.Context, dialer *net.Dialer, network, address string) (net.Conn, error) {
	if processEnded(ctx) {
		return nil, &dialError{errProcessEnded}
	}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, &dialError{err}
	}
	// The process may have ended meanwhile. Its end is known before the Pod's next process starts,
	// so a connection to that one is always noticed here.
	if processEnded(ctx) {
		_ = conn.Close() // nothing was sent
		return nil, &dialError{errProcessEnded}
	}
	return conn, nil
}

// processEnded reports whether the instance that a request was sent to has ended.
func processEnded(ctx context.Context) bool {
	a, ok := ctx.Value(attemptContextKey{}).(*upstreamAttempt)
	return ok && a.instance.inFlight.hasAny(flagClosed)
}

var errProcessEnded = errors.New("the process has ended")

// dialError is a failure to connect: nothing was sent.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// isDialError reports whether a request failed because no connection was made.
func isDialError(err error) bool {
	_, ok := errors.AsType[*dialError](err)
	return ok
}

// isUnsentError reports whether a request failed although a connection was there, and nothing of it
// was sent.
func isUnsentError(err error) bool {
	_, ok := errors.AsType[*unsentError](err)
	return ok
}
