package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// portKey identifies a Service port. Its name and target may change; clients know its number.
type portKey struct {
	service types.NamespacedName
	number  int32
}

// port is a Service port with its listener. The proxy's loop writes its table; everything else is
// safe for concurrent use.
type port struct {
	key       portKey
	proxy     *Proxy
	service   corev1.ObjectReference
	listener  *net.TCPListener
	server    *http.Server
	forwarder forwarder

	table       atomic.Pointer[routingTable]
	changes     signal // after each change that may let a waiting request go on
	sessions    sessionAffinity
	roundRobin  atomic.Uint64
	waiting     atomic.Int64
	explanation explanation

	gate     inFlightCount // everyone who is served
	idle     chan struct{}
	stopping chan struct{}      // closed when no more is accepted
	stopOnce sync.Once          // of stopping
	cutting  context.Context    // done when what is left is cut
	cut      context.CancelFunc // of cutting

	requests, retries, gone, failed atomic.Uint64
}

// Limits of the HTTP front.
const (
	// readHeaderTimeout bounds how slowly a request's head may come: a client that drips bytes
	// costs a connection for that long.
	readHeaderTimeout = 10 * time.Second
	// idleTimeout is how long a client's connection is kept without a request. Longer than the
	// usual minute of client pools, so that they close first.
	idleTimeout = 2 * time.Minute
	// maxHeaderBytes is more than any common server behind takes (Node 16 KiB, nginx 32 KiB), so
	// those decide, and a sixteenth of Go's default.
	maxHeaderBytes = 64 << 10
	// maxStreams of one HTTP/2 connection at a time; browsers and gRPC assume about a hundred.
	maxStreams = 250
)

// newPort makes a port around a listener, with an empty table. serve has to follow.
func newPort(p *Proxy, key portKey, service corev1.ObjectReference, listener *net.TCPListener) *port {
	o := &port{key: key, proxy: p, service: service, listener: listener, stopping: make(chan struct{}), idle: make(chan struct{}, 1)}
	o.cutting, o.cut = context.WithCancel(context.Background())
	o.table.Store(&routingTable{})
	o.gate.onZero = func() {
		select {
		case o.idle <- struct{}{}:
		default:
		}
	}
	o.forwarder = newHTTPForwarder(p)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	o.server = &http.Server{
		Handler: o, Protocols: protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     p.httpLog, BaseContext: func(net.Listener) context.Context { return o.cutting },
	}
	return o
}

// serve accepts clients until stop. HTTP clients are the server's, TCP clients get a goroutine of
// the proxy.
func (o *port) serve() {
	err := o.server.Serve(acceptor{o})
	if !errors.Is(err, http.ErrServerClosed) && !o.isStopping() {
		o.proxy.record(o.service, corev1.EventTypeWarning, "ListenerFailed", "cannot accept clients on "+o.address()+" any more: "+err.Error())
	}
}

// ServeHTTP serves one request.
func (o *port) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !o.gate.add(flagClosed) {
		w.Header().Set("Connection", "close")
		http.Error(w, errStopping.Error(), http.StatusServiceUnavailable)
		return
	}
	defer o.gate.done()
	if r.Method == http.MethodConnect {
		http.Error(w, "CONNECT is for proxies that clients choose; this is a Service", http.StatusNotImplemented)
		return
	}
	o.forwarder.forward(w, r, o)
}

// publish swaps the table and wakes who waits.
func (o *port) publish(t *routingTable) {
	before := o.table.Swap(t)
	markRemoved(before, t)
	o.changes.fire()
}

// close ends the listener, so that its address is free, and lets nobody wait any longer. Those who
// are served go on.
func (o *port) close() {
	o.stopOnce.Do(func() {
		close(o.stopping)
		if err := o.listener.Close(); err != nil {
			o.proxy.opts.Logger.Error("Cannot close a listener", "address", o.address(), "err", err)
		}
	})
}

// stop closes the port, waits for those who are served, but no longer than drain, and cuts off the
// rest. It returns when nobody is served any more.
func (o *port) stop(drain time.Duration) {
	o.close()
	patience, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := o.server.Shutdown(patience); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		o.proxy.opts.Logger.Error("Cannot shut a server down", "address", o.address(), "err", err)
	}
	o.gate.setFlags(flagNotifyZero) // upgraded and TCP connections, which the server does not know
	o.wait(patience)
	o.gate.setFlags(flagClosed)
	o.cut()
	if err := o.server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		o.proxy.opts.Logger.Error("Cannot close a server", "address", o.address(), "err", err)
	}
	o.wait(context.Background())
	o.forwarder.close()
}

// wait waits until nobody is served.
func (o *port) wait(ctx context.Context) {
	for o.gate.count() > 0 {
		select {
		case <-o.idle:
		case <-ctx.Done():
			return
		}
	}
}

func (o *port) isStopping() bool {
	select {
	case <-o.stopping:
		return true
	default:
		return false
	}
}

func (o *port) address() string { return o.listener.Addr().String() }
