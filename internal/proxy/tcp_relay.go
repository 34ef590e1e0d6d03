package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// dialTimeout is how long a dial may take. Endpoints are on this machine, so one that does not
// accept in that time has a full queue.
const dialTimeout = time.Second

// lingerTimeout is how long an endpoint may go on answering when it no longer reads what its client
// sends.
const lingerTimeout = 5 * time.Second

// serveTCP serves a TCP client in a goroutine of the proxy.
func (sp *servicePort) serveTCP(client *clientConn) {
	if !sp.inFlight.add(flagClosed) {
		reset(client.TCPConn)
		_ = client.Close() // frees its place; the connection is closed already
		return
	}
	sp.proxy.running.Go(func() {
		defer sp.inFlight.done()
		defer client.Close()
		var rr routedRequest
		rr.begin(sp, clientAddress(client), false)
		upstream := sp.dialEndpoint(&rr)
		if upstream == nil {
			rr.end(requestFailed)
			reset(client.TCPConn)
			return
		}
		defer upstream.Close()
		rr.end(sp.relay(client.TCPConn, upstream))
	})
}

// dialEndpoint connects to an endpoint; if it cannot be reached, to another one. It returns nil if
// there is none.
func (sp *servicePort) dialEndpoint(rr *routedRequest) *net.TCPConn {
	for {
		if rr.next(sp.ctx) != nil {
			return nil
		}
		dialer := net.Dialer{Timeout: dialTimeout}
		conn, err := dialer.DialContext(sp.ctx, "tcp", rr.endpoint.address)
		if err == nil {
			rr.attempt.markSent() // the endpoint may speak first
			return conn.(*net.TCPConn)
		}
		if sp.ctx.Err() != nil || !rr.failed(dialFailure(err), false) {
			return nil
		}
	}
}

// relay copies in both directions until both have ended, and passes each end on as a half-close.
// Nothing but the two peers and the end of the proxy's time to drain ends it (R201).
func (sp *servicePort) relay(client, upstream *net.TCPConn) requestOutcome {
	stop := context.AfterFunc(sp.ctx, func() {
		reset(client)
		reset(upstream)
	})
	defer stop()
	sent := make(chan struct{})
	go func() { // joined below
		defer close(sent)
		_, err := io.Copy(upstream, client)
		_ = upstream.CloseWrite() // fails if it is closed already
		// the client broke off, or the endpoint reads no more but may still answer
		if err != nil {
			_ = upstream.SetReadDeadline(time.Now().Add(lingerTimeout))
		}
	}()
	_, err := io.Copy(client, upstream)
	result := requestServed
	select {
	case <-sent:
	default:
		result = requestCut // the endpoint ended first
	}
	if err != nil {
		reset(client)
		reset(upstream)
	} else {
		_ = client.CloseWrite() // fails if it is closed already
	}
	<-sent
	if sp.ctx.Err() != nil {
		return requestServed
	}
	return result
}

// dialFailure is how an attempt failed when no connection was made.
func dialFailure(err error) attemptFailure {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return failureTimeout
	}
	return failureRefused
}

// clientAddress is a client's address without its port.
func clientAddress(conn net.Conn) netip.Addr {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
