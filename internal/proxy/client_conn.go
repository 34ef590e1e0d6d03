package proxy

import (
	"io"
	"net"
	"sync"
	"time"
)

// clientListener is the listener that the HTTP server of a port accepts from. It gives the server
// the connections of HTTP clients; if the port speaks TCP when a client comes, the relay serves it.
type clientListener struct{ port *servicePort }

// Accept implements [net.Listener].
func (a clientListener) Accept() (net.Conn, error) {
	sp := a.port
	for {
		conn, err := sp.listener.AcceptTCP()
		if err != nil {
			return nil, err
		}
		client := &clientConn{TCPConn: conn, slots: sp.proxy.slots, timeout: sp.proxy.opts.ClientTimeout}
		select {
		case sp.proxy.slots <- struct{}{}: // further clients wait in the kernel's queue meanwhile
		case <-sp.stopping:
			reset(conn)
			return nil, net.ErrClosed
		}
		if sp.table.Load().protocol != protocolTCP {
			return client, nil
		}
		sp.serveTCP(client)
	}
}

// Close implements [net.Listener].
func (a clientListener) Close() error {
	a.port.stopAccepting()
	return nil
}

// Addr implements [net.Listener].
func (a clientListener) Addr() net.Addr { return a.port.listener.Addr() }

// clientConn is a client's connection. It frees its place among the [Options].MaxConnections when
// it is closed, and writing to it fails if the client stops reading.
type clientConn struct {
	*net.TCPConn
	timeout time.Duration
	once    sync.Once
	slots   chan struct{}
}

// Write implements [net.Conn].
func (c *clientConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
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

// Close implements [net.Conn].
func (c *clientConn) Close() error {
	err := c.TCPConn.Close()
	c.once.Do(func() { <-c.slots })
	return err
}

// reset closes a connection by RST, so that the peer sees at once that it failed.
func reset(conn *net.TCPConn) {
	// fails only if the connection is closed already, and then there is nothing to do
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
