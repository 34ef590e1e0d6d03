package proxy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/probity-run/probity/internal/h1"
)

// clientConn is a client's connection that net/http's server serves: one that speaks HTTP/2, or
// whose port does. It frees its place among the [Options].MaxConnections when it is closed, refuses
// requests that can be read in two ways, and writing to it fails if the client stops reading.
type clientConn struct {
	*net.TCPConn
	limit writeLimit
	once  sync.Once
	slots *portSlots

	read   []byte      // what was read of it before it was handed over; then it belongs to the reader
	tunnel atomic.Bool // what comes is no HTTP any more
	// this and the rest belong to whoever reads; net/http has one reader at a time
	framing framing
	refusal atomic.Pointer[error]
	poison  string // what is left to be read instead of what the client sent
}

// Read implements [net.Conn]. It looks at the requests before net/http does. One that is malformed
// is cut off and spoiled, so that net/http refuses it when its turn comes, after the answers to the
// requests before it. (An error would break those off: net/http reads ahead by a byte.)
func (c *clientConn) Read(p []byte) (int, error) {
	if c.tunnel.Load() {
		return c.receive(p)
	}
	if c.refusal.Load() == nil {
		n, err := c.receive(p)
		good, refused := c.framing.scan(p[:n])
		if refused == nil {
			return n, err
		}
		c.refusal.Store(&refused)
		c.poison = poison
		if good > 0 {
			return good, nil
		}
	}
	if c.poison == "" {
		return 0, *c.refusal.Load()
	}
	n := copy(p, c.poison)
	c.poison = c.poison[n:]
	return n, nil
}

// receive reads what was read before, and then the connection.
func (c *clientConn) receive(p []byte) (int, error) {
	if len(c.read) == 0 {
		return c.TCPConn.Read(p)
	}
	n := copy(p, c.read)
	c.read = c.read[n:]
	return n, nil
}

const (
	// poison ends the beginning of a head, of a chunk or of trailers by what net/http refuses: the
	// first line may be the rest of another one, the second one is neither a field nor a size.
	poison = "\x00\r\n\x00\r\n\r\n"
	// plainRefusal is what net/http then answers.
	plainRefusal = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
)

// refuse writes the answer of the relay instead of net/http's, and lets the client read it: if a
// connection is closed while bytes of the client are unread, the client may lose what it has not
// read.
func (c *clientConn) refuse(reason error) error {
	refusal, ok := errors.AsType[*h1.Error](reason)
	if !ok {
		refusal = &h1.Error{Status: http.StatusBadRequest, Reason: reason.Error()}
	}
	_, err := c.TCPConn.Write(plainAnswer(refusal.Status, malformedText(refusal)).http1(true, false))
	if err == nil {
		err = c.CloseWrite()
	}
	if err == nil {
		err = c.SetReadDeadline(time.Now().Add(refusalLinger))
	}
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(c.TCPConn, maxRefusalDrain))
	}
	return err
}

// maxRefusalDrain is how much a client that was refused may still send.
const maxRefusalDrain = 256 << 10

// Write implements [net.Conn].
func (c *clientConn) Write(p []byte) (int, error) {
	if err := c.limit.extend(c.TCPConn); err != nil {
		return 0, err
	}
	if refusal := c.refusal.Load(); refusal != nil && string(p) == plainRefusal {
		// fails if the client has gone, or sends on; net/http closes the connection in any case
		_ = c.refuse(*refusal)
		return len(p), nil
	}
	return c.TCPConn.Write(p)
}

// ReadFrom implements [io.ReaderFrom]. Upgraded connections use it, which have no time limit.
func (c *clientConn) ReadFrom(r io.Reader) (int64, error) {
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		return 0, err
	}
	return c.TCPConn.ReadFrom(r)
}

// SetDeadline implements [net.Conn].
func (c *clientConn) SetDeadline(t time.Time) error {
	c.limit.forget()
	return c.TCPConn.SetDeadline(t)
}

// SetWriteDeadline implements [net.Conn].
func (c *clientConn) SetWriteDeadline(t time.Time) error {
	c.limit.forget()
	return c.TCPConn.SetWriteDeadline(t)
}

// Close implements [net.Conn].
func (c *clientConn) Close() error {
	err := c.TCPConn.Close()
	c.once.Do(c.slots.release)
	return err
}

// reset closes a connection by RST, so that the peer sees at once that it failed.
func reset(conn *net.TCPConn) {
	// fails only if the connection is closed already, and then there is nothing to do
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// clientConnKey is where a request's context keeps the [clientConn] that it came by.
type clientConnKey struct{}
