package proxy

import (
	"io"
	"net"
	"sync"
	"time"
)

// acceptor is the listener that the HTTP server of a port sees: connections are the server's or the
// relay's as the table says at the time.
type acceptor struct{ port *port }

// Accept implements [net.Listener].
func (a acceptor) Accept() (net.Conn, error) {
	o := a.port
	for {
		conn, err := o.listener.AcceptTCP()
		if err != nil {
			return nil, err
		}
		client := &clientConn{TCPConn: conn, free: o.proxy.slots, timeout: o.proxy.opts.ClientTimeout}
		select {
		case o.proxy.slots <- struct{}{}: // the next client waits in the kernel's queue meanwhile
		case <-o.stopping:
			reset(conn)
			return nil, net.ErrClosed
		}
		if o.table.Load().protocol != protocolTCP {
			return client, nil
		}
		o.relayClient(client)
	}
}

// Close implements [net.Listener].
func (a acceptor) Close() error {
	a.port.close()
	return nil
}

// Addr implements [net.Listener].
func (a acceptor) Addr() net.Addr { return a.port.listener.Addr() }

// clientConn is a client's connection. It frees its slot when it is closed, and fails if the client
// does not take what is written.
type clientConn struct {
	*net.TCPConn
	timeout time.Duration
	once    sync.Once
	free    chan struct{}
}

// Write implements [net.Conn].
func (c *clientConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.TCPConn.Write(p)
}

// ReadFrom implements [io.ReaderFrom]. It is for upgraded connections, which have no time limit.
func (c *clientConn) ReadFrom(r io.Reader) (int64, error) {
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		return 0, err
	}
	return c.TCPConn.ReadFrom(r)
}

// Close implements [net.Conn].
func (c *clientConn) Close() error {
	err := c.TCPConn.Close()
	c.once.Do(func() { <-c.free })
	return err
}

// reset closes a connection so that the peer sees at once that it failed.
func reset(conn *net.TCPConn) {
	// fails only if the connection is closed already, and then there is nothing to do
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
