package guard

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// maxTokenless is how many requests without the token a client may make on a connection on which it
// was not shown. It is told to make one, but in HTTP/2 it can go on, and each request holds a
// goroutine and some memory for as long as the client does not take the answer.
const maxTokenless = 4

// clients bound how many connections there are, and end those on which no token is shown.
type clients struct {
	slots        chan struct{} // holds one for each connection that is open
	proofTimeout time.Duration

	mu       sync.Mutex // guards what follows, and those fields of clients that say so
	unproven list.List  // of *client, the oldest first
}

// client is a connection.
type client struct {
	net.Conn
	all    *clients
	expiry *time.Timer
	once   sync.Once // for the slot

	place     *list.Element // among the unproven, or nil; guarded by all.mu
	tokenless int           // requests so far; guarded by all.mu
}

func newClients(limits Limits) *clients {
	return &clients{slots: make(chan struct{}, limits.Connections), proofTimeout: limits.ProofTimeout}
}

// Listener returns a listener that accepts from another one what the limits of connections allow.
// Its connections have to be those of a [Guard.Server]. There can be several.
func (g *Guard) Listener(of net.Listener) net.Listener {
	return &listener{Listener: of, clients: g.clients, closed: make(chan struct{})}
}

type listener struct {
	net.Listener
	clients *clients
	once    sync.Once
	closed  chan struct{}
}

// Accept implements [net.Listener]. Clients that have to wait do so in the kernel's queue.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case l.clients.slots <- struct{}{}:
		return l.clients.add(conn), nil
	default:
	}
	l.clients.closeOldest()
	select {
	case l.clients.slots <- struct{}{}:
		return l.clients.add(conn), nil
	case <-l.closed:
		_ = conn.Close() // nobody has it
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// add makes a client of a connection that has a slot.
func (c *clients) add(conn net.Conn) *client {
	added := &client{Conn: conn, all: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	added.place = c.unproven.PushBack(added)
	added.expiry = time.AfterFunc(c.proofTimeout, func() { added.Close() })
	return added
}

// closeOldest closes the oldest connection on which no token was shown, if there is any.
func (c *clients) closeOldest() {
	c.mu.Lock()
	oldest := c.unproven.Front()
	c.mu.Unlock()
	if oldest != nil {
		oldest.Value.(*client).Close()
	}
}

// Close implements [net.Conn]. It frees the slot.
func (c *client) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.prove() // nobody asks for proof any more
		<-c.all.slots
	})
	return err
}

// prove notes that the token was shown.
func (c *client) prove() {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	if c.place != nil {
		c.all.unproven.Remove(c.place)
		c.place = nil
		c.expiry.Stop()
	}
}

// isProven reports whether the token was shown.
func (c *client) isProven() bool {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	return c.place == nil
}

// mayAsk counts a request without the token, and reports whether it is not one too many.
func (c *client) mayAsk() bool {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.tokenless++
	return c.place == nil || c.tokenless <= maxTokenless
}

// clientKey is where the context of a request keeps the [client] that it came by.
type clientKey struct{}

// withClient is [http.Server.ConnContext].
func withClient(ctx context.Context, conn net.Conn) context.Context {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	return context.WithValue(ctx, clientKey{}, conn.(*client))
}

// clientOf returns the client of a request.
func clientOf(ctx context.Context) *client { return ctx.Value(clientKey{}).(*client) }
