package proxy

import (
	"slices"
	"sync"
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
)

// upstreamPool keeps connections to endpoints that no request uses, as [sweeper] has it for as long
// as that lets it. It is safe for concurrent use.
type upstreamPool struct {
	idleTimeout time.Duration

	mu     sync.Mutex // guards the rest
	idle   map[*endpoint][]*upstreamConn
	closed bool
}

// take returns the connection to an instance that was used last, or nil. It may be stale, which
// shows when something is sent. Connections to other instances, or to another address, are closed.
func (p *upstreamPool) take(e *endpoint, inst *instance) *upstreamConn {
	address := e.dialAddress()
	for {
		u := p.pop(e)
		if u == nil || u.instance == inst && u.address == address {
			return u
		}
		_ = u.Close() // nothing is on its way
	}
}

func (p *upstreamPool) pop(e *endpoint) *upstreamConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	unused := p.idle[e]
	if len(unused) == 0 {
		return nil
	}
	u := unused[len(unused)-1]
	unused[len(unused)-1] = nil
	p.idle[e] = unused[:len(unused)-1]
	return u
}

// put keeps a connection over which an answer has come to its end. It closes it if there are
// enough.
func (p *upstreamPool) put(u *upstreamConn) {
	u.kept, u.unusedSince = true, time.Time{}
	if !p.keep(u) {
		_ = u.Close() // nothing is on its way
	}
}

func (p *upstreamPool) keep(u *upstreamConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || u.endpoint.removed.Load() || len(p.idle[u.endpoint]) >= upstreamMaxIdle {
		return false
	}
	if p.idle == nil {
		p.idle = map[*endpoint][]*upstreamConn{}
	}
	p.idle[u.endpoint] = append(p.idle[u.endpoint], u)
	return true
}

// sweep closes the connections that nobody has used for the timeout, and those to endpoints that
// are gone. It reports whether any are left.
func (p *upstreamPool) sweep(now time.Time) (left bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e, unused := range p.idle {
		kept := slices.DeleteFunc(unused, func(u *upstreamConn) bool {
			if u.unusedSince.IsZero() {
				u.unusedSince = now
			}
			old := e.removed.Load() || now.Sub(u.unusedSince) >= p.idleTimeout
			if old {
				_ = u.Close() // nothing is on its way
			}
			return old
		})
		if p.idle[e] = kept; len(kept) == 0 {
			delete(p.idle, e)
		}
	}
	return len(p.idle) > 0
}

// close closes all connections, and those that come later.
func (p *upstreamPool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, unused := range p.idle {
		for _, u := range unused {
			_ = u.Close() // nothing is on its way
		}
	}
	clear(p.idle)
}
