package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/probity-run/probity/internal/process"
)

// dialTimeout is how long a dial may take. Endpoints are on this machine, so one that does not
// accept in that time has a full queue.
const dialTimeout = time.Second

// lingerTimeout is how long an endpoint may go on answering when it no longer reads what its client
// sends.
const lingerTimeout = 5 * time.Second

// serveTCP serves a TCP client in a goroutine of the proxy.
func (sp *servicePort) serveTCP(client *net.TCPConn) {
	if !sp.inFlight.add(flagClosed) {
		reset(client)
		sp.slots.release()
		return
	}
	sp.proxy.running.Go(func() {
		defer sp.inFlight.done()
		defer sp.slots.release()
		defer client.Close()
		var rr routedRequest
		rr.begin(sp, clientAddress(client), false)
		upstream := sp.dialEndpoint(&rr)
		if upstream == nil {
			rr.end(requestFailed)
			reset(client)
			return
		}
		defer upstream.Close()
		rr.end(relay{sp.ctx, sp.proxy, rr.attempt.instance.connectionCut}.run(client, upstream))
	})
}

// dialEndpoint connects to an endpoint; if it cannot be reached, to another one. It returns nil if
// there is none.
func (sp *servicePort) dialEndpoint(rr *routedRequest) *net.TCPConn {
	for {
		if rr.next(sp.ctx) != nil {
			return nil
		}
		conn, err := dialInstance(sp.ctx, &net.Dialer{Timeout: dialTimeout}, rr.attempt.instance, rr.endpoint.dialAddress())
		if err == nil {
			rr.attempt.markSent() // the endpoint may speak first
			return conn
		}
		if sp.ctx.Err() != nil || !rr.failed(dialFailure(err), false) {
			return nil
		}
	}
}

// relay carries the bytes of TCP connections until its context is done.
type relay struct {
	ctx   context.Context
	proxy *Proxy
	cut   func() // called when the endpoint ends a connection before its client does
}

// run copies in both directions until both have ended, and passes each end on as a half-close.
// Nothing but the two peers and the end of the proxy's time to drain ends it (R201). A client that
// has closed its connection, and not only its side of it, has left: then nobody waits for what the
// endpoint may still say.
func (r relay) run(client, upstream *net.TCPConn) requestOutcome {
	stop := context.AfterFunc(r.ctx, func() {
		reset(client)
		reset(upstream)
	})
	defer stop()
	sent, received := make(chan struct{}), make(chan struct{})
	var from atomic.Int32 // a clientEnd
	go func() {           // joined below
		defer close(sent)
		r.toEndpoint(client, upstream, received, &from)
	}()
	end := copyStream(client, upstream, &r.proxy.buffers, func() bool { return false })
	ended := clientEnd(from.Load()) // before the client hears of the end and answers it with its own
	close(received)
	if end == copySourceBroke && ended == clientSendsNoMore && isAbandoned(client, r.proxy.opts.Logger) {
		ended = clientLeft // nobody has asked yet
	}
	outcome := tcpOutcome(end, ended)
	if outcome == requestCut && r.ctx.Err() == nil {
		r.cut() // now, because the client may keep its side for as long as it likes
	}
	switch {
	case ended == clientLeft: // there is nobody to pass it on to
	case end == copyDone:
		_ = client.CloseWrite() // fails if it is closed already
	default:
		reset(client)
		reset(upstream)
	}
	<-sent
	if r.ctx.Err() != nil {
		return requestServed
	}
	return outcome
}

// toEndpoint copies what the client sends, until the client ends or has left, which is noted before
// the endpoint hears of it: the endpoint may answer with its own end, and that is no cut then. If
// the client has left, the wait for the endpoint is ended. received is closed when the endpoint has
// ended.
func (r relay) toEndpoint(client, upstream *net.TCPConn, received <-chan struct{}, from *atomic.Int32) {
	abandoned := func() bool { return isAbandoned(client, r.proxy.opts.Logger) }
	end := copyStream(upstream, client, &r.proxy.buffers, abandoned)
	switch end {
	case copyDone:
		from.Store(int32(clientSendsNoMore))
	case copySourceBroke:
		from.Store(int32(clientLeft))
	case copySinkBroke: // the endpoint reads no more, but may still answer
		_ = upstream.SetReadDeadline(time.Now().Add(lingerTimeout))
	}
	_ = upstream.CloseWrite() // fails if it is closed already
	if end == copyDone && awaitLeave(abandoned, received) {
		from.Store(int32(clientLeft))
	}
	if clientEnd(from.Load()) == clientLeft {
		_ = upstream.SetReadDeadline(time.Now())
	}
}

// awaitLeave waits until a client that sends no more has left, which it reports, or until the
// endpoint has ended, too.
func awaitLeave(abandoned func() bool, received <-chan struct{}) (left bool) {
	wait := firstLeaveCheck
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-received:
			return false
		case <-timer.C:
		}
		if abandoned() {
			return true
		}
		wait = min(2*wait, stallCheckPeriod)
		timer.Reset(wait)
	}
}

// firstLeaveCheck is how long after the end of what a client sends is asked whether it has left.
const firstLeaveCheck = 20 * time.Millisecond

// isAbandoned reports whether the client has closed its side of the connection altogether.
func isAbandoned(client *net.TCPConn, log *slog.Logger) bool {
	// a client is a process of this machine, so its socket is there to be asked about
	abandoned, err := process.Abandoned(client.RemoteAddr().(*net.TCPAddr).AddrPort(), client.LocalAddr().(*net.TCPAddr).AddrPort())
	if err != nil {
		log.Debug("Cannot learn whether a client has left", "client", client.RemoteAddr(), "err", err)
	}
	return abandoned
}

// dialFailure is how an attempt failed when no connection was made.
func dialFailure(err error) attemptFailure {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return failureTimeout
	}
	return failureRefused
}

// clientAddress is where a client's connection comes from.
func clientAddress(conn net.Conn) netip.AddrPort {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
	}
	return netip.AddrPort{}
}
