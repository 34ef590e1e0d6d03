package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// dialTimeout is how long a replica on this machine may take to accept a connection: its queue is
// full then.
const dialTimeout = time.Second

// lingerTimeout is how long a replica that no longer takes what its client sends may go on
// answering.
const lingerTimeout = 5 * time.Second

// relayClient serves a TCP client by a goroutine of the proxy.
func (o *port) relayClient(client *clientConn) {
	if !o.gate.add(flagClosed) {
		reset(client.TCPConn)
		_ = client.Close() // frees its slot; it is closed already
		return
	}
	o.proxy.running.Go(func() {
		defer o.gate.done()
		defer client.Close()
		var x exchange
		x.begin(o, addressOf(client), false)
		upstream := o.connect(&x)
		if upstream == nil {
			x.end(outcomeFailed)
			reset(client.TCPConn)
			return
		}
		defer upstream.Close()
		x.end(o.relay(client.TCPConn, upstream))
	})
}

// connect reaches a replica; one that cannot be reached is replaced by another. It returns nil if
// there is none.
func (o *port) connect(x *exchange) *net.TCPConn {
	for {
		if x.next(o.cutting) != nil {
			return nil
		}
		dialer := net.Dialer{Timeout: dialTimeout}
		conn, err := dialer.DialContext(o.cutting, "tcp", x.endpoint.address)
		if err == nil {
			x.attempt.markSent() // the replica speaks first, perhaps
			return conn.(*net.TCPConn)
		}
		if o.cutting.Err() != nil || !x.failed(dialFailure(err), false) {
			return nil
		}
	}
}

// relay copies both ways until both have ended, and hands each end on as a half-close (R201:
// nothing but the two peers and the end of the proxy ends it).
func (o *port) relay(client, upstream *net.TCPConn) outcome {
	stop := context.AfterFunc(o.cutting, func() {
		reset(client)
		reset(upstream)
	})
	defer stop()
	sent := make(chan struct{})
	go func() { // joined below
		defer close(sent)
		_, err := io.Copy(upstream, client)
		_ = upstream.CloseWrite() // fails if it is closed already
		// the client broke off, or the replica takes no more and may still answer
		if err != nil {
			_ = upstream.SetReadDeadline(time.Now().Add(lingerTimeout))
		}
	}()
	_, err := io.Copy(client, upstream)
	result := outcomeServed
	select {
	case <-sent:
	default:
		result = outcomeCut // the replica was the first
	}
	if err != nil {
		reset(client)
		reset(upstream)
	} else {
		_ = client.CloseWrite() // fails if it is closed already
	}
	<-sent
	if o.cutting.Err() != nil {
		return outcomeServed
	}
	return result
}

// dialFailure says why a connection was not made.
func dialFailure(err error) attemptFailure {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return failureTimeout
	}
	return failureRefused
}

// addressOf is a client's address without its port.
func addressOf(conn net.Conn) netip.Addr {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
