package proxy

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/probity-run/probity/internal/h1"
)

// http1Conn is the connection of a client that speaks HTTP/1. One goroutine serves it: it reads a
// request, sends it to an endpoint and passes the answer on, and so forth. A second one, which it
// joins, sends what of a body does not come with the head.
type http1Conn struct {
	*net.TCPConn
	port *servicePort
	ip   string // of the client
	in   readyReader
	out  readyWriter

	mark, uploadMark mark
	// upstream is the connection that a request waits for; nil if there is none
	upstream atomic.Pointer[upstreamConn]
	gone     atomic.Bool // the client has left

	mu     sync.Mutex         // held while somebody else than its goroutine sets a deadline
	cancel context.CancelFunc // ends the wait for an endpoint; nil if nobody waits; guarded by mu

	// the rest belongs to the sweeper
	watch, uploadWatch watched
	nextLook           time.Time
}

// serveHTTP1 serves a client in a goroutine of the proxy.
func (sp *servicePort) serveHTTP1(conn *net.TCPConn) {
	c := &http1Conn{TCPConn: conn, port: sp, ip: clientAddress(conn).Addr().String()}
	if err := c.in.init(conn, &sp.proxy.heads); err != nil {
		_ = conn.Close() // it is closed already
		sp.slots.release()
		return
	}
	c.out.init(conn, c.in.raw)
	sp.proxy.sweeper.add(c)
	sp.proxy.running.Go(c.serve)
}

// serve serves requests until one of the sides ends that, and then closes the connection, unless
// net/http's server has it.
func (c *http1Conn) serve() {
	handedOver := c.serveRequests()
	if !handedOver {
		c.lingerIfUnread()
	}
	c.port.proxy.sweeper.remove(c)
	if !handedOver {
		_ = c.Close() // whoever has to read something has been given time for it
		c.port.slots.release()
	}
}

// serveRequests serves requests, one after the other.
func (c *http1Conn) serveRequests() (handedOver bool) {
	var x *http1Exchange
	for first := true; ; first = false {
		if x == nil {
			buffer, n := c.awaitRequest()
			if buffer == nil {
				return false
			}
			x = newExchange(c, buffer, n)
		}
		next := x.serveNext(first)
		if next == nextRequest && x.hasMore() {
			continue
		}
		x.release()
		if x = nil; next != nextRequest {
			return next == nextHandedOver
		}
	}
}

// awaitRequest waits for the beginning of a request. The buffer is nil if none comes.
func (c *http1Conn) awaitRequest() (buffer []byte, n int) {
	c.mark.enter(phaseIdle)
	if c.port.isStopping() {
		return nil, 0
	}
	// Others that can go on do so first. Meanwhile a busy client sends its next request, so that
	// one read finds it and none is in vain.
	runtime.Gosched()
	buffer, n, err := c.in.read()
	if c.mark.enter(phaseHead) && err == nil { // it came at the last moment
		c.resume(c.SetReadDeadline)
	}
	return buffer, n
}

// write writes to the client. It fails if the client takes nothing for too long.
func (c *http1Conn) write(p []byte) error {
	c.mark.enter(phaseTaking)
	err := c.out.write(p)
	if c.mark.enter(phaseWaiting) && err == nil { // it has taken the rest at the last moment
		c.resume(c.SetWriteDeadline)
	}
	return err
}

// breakOff ends a wait by a deadline, unless it has ended itself.
func (c *http1Conn) breakOff(m *mark, seen uint64, setDeadline func(time.Time) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.breakOff(seen) {
		_ = setDeadline(time.Unix(1, 0)) // fails only if it is closed
	}
}

// resume takes a deadline back that was set to end a wait which has ended otherwise.
func (c *http1Conn) resume(setDeadline func(time.Time) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = setDeadline(time.Time{}) // fails only if it is closed
	if c.port.ctx.Err() != nil {
		c.cutLocked()
	}
}

// leave ends everything that is done for a client that has left.
func (c *http1Conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone.Store(true)
	c.interruptLocked()
}

// closeIdle closes the connection if it has no request.
func (c *http1Conn) closeIdle() {
	if state := c.mark.state.Load(); phaseOf(state) == phaseIdle {
		c.breakOff(&c.mark, state, c.SetReadDeadline)
	}
}

// cut ends everything, after the context of the port is done. The client has a moment to take what
// is said about it.
func (c *http1Conn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutLocked()
}

// lastWords is how long a client may take to read why it is cut off.
const lastWords = 250 * time.Millisecond

func (c *http1Conn) cutLocked() {
	_ = c.SetWriteDeadline(time.Now().Add(lastWords)) // fails only if it is closed
	c.interruptLocked()
}

// interruptLocked ends all waits but that for a client to take something.
func (c *http1Conn) interruptLocked() {
	_ = c.SetReadDeadline(time.Unix(1, 0)) // fails only if it is closed
	if u := c.upstream.Load(); u != nil {
		u.interrupt()
	}
	if c.cancel != nil {
		c.cancel()
	}
}

// use says that a request waits for a connection to an endpoint, nil for none. The error says why
// it must not.
func (c *http1Conn) use(u *upstreamConn) error {
	c.upstream.Store(u)
	switch { // after Store, as others look the other way round
	case c.gone.Load():
		return errClientLeft
	case c.port.ctx.Err() != nil:
		return errStopping
	}
	return nil
}

var errClientLeft = errors.New("the client has left")

const (
	// lingerLimit and lingerTime bound what a client may still send to a connection that is about
	// to be closed: if it is closed while bytes of the client are unread, the client may lose what
	// it has not read.
	lingerLimit = 64 << 20
	lingerTime  = 2 * time.Second
	// refusalLinger is how long a client that was refused may take to end.
	refusalLinger = 500 * time.Millisecond
)

// linger says that nothing more comes, and lets the client read what came.
func (c *http1Conn) linger(limit time.Duration) {
	if c.port.ctx.Err() != nil || c.CloseWrite() != nil {
		return
	}
	c.mu.Lock()
	_ = c.SetReadDeadline(time.Now().Add(limit)) // fails only if it is closed
	c.mu.Unlock()
	c.mark.enter(phaseNone)
	if c.port.ctx.Err() != nil {
		return
	}
	for read := 0; read < lingerLimit; {
		buffer, n, err := c.in.read()
		if buffer != nil {
			c.in.buffers.Put(buffer)
		}
		if read += n; err != nil {
			return
		}
	}
}

// lingerIfUnread lingers if the client has sent more than it was to send, such as the empty line
// that some send behind a body. Else it would find a reset behind its answer, and take one that
// ends with the connection for broken.
func (c *http1Conn) lingerIfUnread() {
	unread := false
	// fails only if it is closed
	_ = c.in.raw.Control(func(fd uintptr) { unread = hasUnread(fd) })
	if unread {
		c.linger(refusalLinger)
	}
}

// isTimeout reports whether a wait was ended by a deadline.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// isPreface compares what was read with the preface of HTTP/2, of which it may be the beginning.
func isPreface(read []byte) (may, whole bool) {
	const preface = h1.PrefaceHead + h1.PrefaceRest
	n := min(len(read), len(preface))
	return bytes.Equal(read[:n], []byte(preface)[:n]), n == len(preface)
}
