package proxy

import (
	"context"
	"net"
	"net/http"
	"time"
)

// upstreamMaxHeader bounds the head of an answer.
const upstreamMaxHeader = 1 << 20

// transports send the requests that net/http reads to endpoints.
type transports struct {
	// http1 speaks HTTP/1.1 and makes a connection for each request, so that none is lost to a kept
	// one that has just died.
	http1 *http.Transport
	// h2c speaks HTTP/2 with prior knowledge.
	h2c *http.Transport
}

func newTransports() *transports {
	dialer := &net.Dialer{Timeout: dialTimeout}
	dial := func(ctx context.Context, _, address string) (net.Conn, error) {
		conn, err := dialInstance(ctx, dialer, instanceOf(ctx), address)
		if err != nil {
			return nil, err // no nil of another type
		}
		return conn, nil
	}
	transport := func(idleConns int) *http.Transport {
		return &http.Transport{
			DialContext: dial, DisableCompression: true, MaxIdleConnsPerHost: idleConns,
			MaxResponseHeaderBytes: upstreamMaxHeader, ExpectContinueTimeout: time.Second,
		}
	}
	t := &transports{http1: transport(-1), h2c: transport(upstreamMaxIdle)}
	t.h2c.Protocols = new(http.Protocols)
	t.h2c.Protocols.SetUnencryptedHTTP2(true)
	// longer than for HTTP/1.1: a server that closes an HTTP/2 connection says which streams it did
	// not process, so nothing is lost by it
	t.h2c.IdleConnTimeout = time.Minute
	return t
}

func (t *transports) close() {
	t.http1.CloseIdleConnections()
	t.h2c.CloseIdleConnections()
}

// attemptContextKey is where a request's context keeps its [upstreamAttempt], so that a dial knows
// whether the [instance] that the request was sent to has ended. When a kept connection breaks,
// net/http sends the request again by itself, to the same address; by then the Pod's next process
// may listen there, which is not ready yet.
type attemptContextKey struct{}

// instanceOf is the instance that the request of a context is sent to, or nil.
func instanceOf(ctx context.Context) *instance {
	if a, ok := ctx.Value(attemptContextKey{}).(*upstreamAttempt); ok {
		return a.instance
	}
	return nil
}
