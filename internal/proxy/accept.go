package proxy

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// maxAcceptPause is how long nothing is accepted at most when the system lacks something for it.
const maxAcceptPause = time.Second

// serve accepts the clients of a listener until stopAccepting. Each gets a goroutine: of the proxy
// if it speaks TCP or HTTP/1, of net/http's server if the port speaks HTTP/2.
func (sp *servicePort) serve(listener *portListener) {
	pause := time.Duration(0)
	for {
		conn, err := listener.AcceptTCP()
		switch {
		case err == nil:
			pause = 0
		case sp.isStopping() || listener.givenUp.Load():
			return
		case isTransient(err):
			pause = min(max(2*pause, 5*time.Millisecond), maxAcceptPause)
			time.Sleep(pause)
			continue
		default:
			sp.proxy.record(sp.service, corev1.EventTypeWarning, "ListenerFailed", "cannot accept clients on "+listener.Addr().String()+" any more: "+err.Error())
			return
		}
		// further clients wait in the kernel's queue meanwhile
		if !sp.slots.acquire(sp.stopping, sp.reportFull) {
			reset(conn)
			return
		}
		switch sp.table.Load().protocol {
		case protocolTCP:
			sp.serveTCP(conn)
		case protocolH2C:
			sp.handOver(conn, nil)
		default:
			sp.serveHTTP1(conn)
		}
	}
}

// isTransient reports whether accepting may succeed later: a client has gone meanwhile, or the
// process, or the system, has too much open.
func isTransient(err error) bool {
	for _, transient := range []error{syscall.ECONNABORTED, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, transient) {
			return true
		}
	}
	return false
}

// handOver gives a connection to net/http's server, which begins with what was read of it.
func (sp *servicePort) handOver(conn *net.TCPConn, read []byte) {
	client := &clientConn{TCPConn: conn, slots: sp.slots, read: read, limit: writeLimit{timeout: sp.proxy.opts.ClientTimeout, began: sp.answers.began}}
	sp.handedOver.give(client, func(l net.Listener) {
		sp.proxy.running.Go(func() {
			_ = sp.server.Serve(l) // ends by Close, as nothing else makes the listener fail
		})
	})
}

// handover is the listener of net/http's server: of the connections that others have accepted. It
// is made by newHandover.
type handover struct {
	conns  chan net.Conn
	closed chan struct{}
	begin  sync.Once
	end    sync.Once
}

func newHandover() *handover {
	return &handover{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// give gives a connection to the server, which serve begins before the first one.
func (h *handover) give(conn net.Conn, serve func(net.Listener)) {
	h.begin.Do(func() { serve(h) })
	select {
	case h.conns <- conn:
	case <-h.closed:
		_ = conn.Close() // nothing was read that anybody has to answer
	}
}

// Accept implements [net.Listener].
func (h *handover) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (h *handover) Close() error {
	h.end.Do(func() { close(h.closed) })
	return nil
}

// Addr implements [net.Listener].
func (h *handover) Addr() net.Addr { return &net.TCPAddr{} }
