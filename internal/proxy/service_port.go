package proxy

import (
	"context"
	"errors"
	"fmt"
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

// servicePort is a Service port with its listener. The proxy's loop writes its table; everything
// else is safe for concurrent use.
type servicePort struct {
	key     portKey
	proxy   *Proxy
	service corev1.ObjectReference
	placement
	mainAddress atomic.Pointer[string] // of the main listener; "" if there is none
	server      *http.Server           // of clients that speak HTTP/2, and of ports that do
	handedOver  *handover              // the connections that it serves
	forwarder   *httpForwarder
	slots       *portSlots
	fullSaid    atomic.Int64 // when it was said last that there are no more slots, in seconds

	table       atomic.Pointer[routingTable]
	changes     broadcast // after each change that may give a held request an endpoint
	sessions    sessionAffinity
	roundRobin  atomic.Uint64
	waiting     atomic.Int64
	explanation explanation

	inFlight inFlightCount      // requests and TCP connections, held ones included
	idle     chan struct{}      // gets a value when inFlight falls to zero during drain
	stopping chan struct{}      // closed when no more is accepted
	stopOnce sync.Once          // closes stopping
	ctx      context.Context    // of everything in flight; done when the time to drain is over
	cancel   context.CancelFunc // of ctx

	requests, retries, gone, failed, lost atomic.Uint64
	answers                               answerCounts // of HTTP
}

// Limits of the HTTP server.
const (
	// readHeaderTimeout bounds how slowly a request's head may come: a client that sends it byte by
	// byte costs a connection for that long.
	readHeaderTimeout = 10 * time.Second
	// idleTimeout is how long a client's connection is kept without a request. It is longer than
	// the usual minute of client pools, so that clients close first.
	idleTimeout = 2 * time.Minute
	// maxHeaderBytes is more than any common server takes (Node 16 KiB, nginx 32 KiB), so that the
	// endpoint's own limit decides. It is a sixteenth of Go's default.
	maxHeaderBytes = 64 << 10
	// maxStreams is how many requests one HTTP/2 connection may have at a time; browsers and gRPC
	// assume about a hundred.
	maxStreams = 250
)

// newServicePort makes a port that is served nowhere yet, with an empty table.
func newServicePort(p *Proxy, key portKey, service corev1.ObjectReference) *servicePort {
	sp := &servicePort{key: key, proxy: p, service: service, slots: p.slots.open(), stopping: make(chan struct{}), idle: make(chan struct{}, 1), answers: newAnswerCounts()}
	sp.ctx, sp.cancel = context.WithCancel(context.Background())
	sp.table.Store(&routingTable{})
	sp.setMain(nil)
	sp.inFlight.onZero = func() {
		select {
		case sp.idle <- struct{}{}:
		default:
		}
	}
	sp.forwarder, sp.handedOver = newHTTPForwarder(p), newHandover()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	sp.server = &http.Server{
		Handler: sp, Protocols: protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     p.httpLog, BaseContext: func(net.Listener) context.Context { return sp.ctx },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, clientConnKey{}, conn)
		},
	}
	return sp
}

// ServeHTTP serves one request.
func (sp *servicePort) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !sp.inFlight.add(flagClosed) {
		w.Header().Set("Connection", "close")
		sp.refuse(w, errStopping.Error(), http.StatusServiceUnavailable)
		return
	}
	defer sp.inFlight.done()
	switch {
	case r.Method == http.MethodConnect:
		if r.ProtoMajor == 1 { // what a hasty client has sent into its tunnel is no request
			w.Header().Set("Connection", "close")
		}
		sp.refuse(w, "CONNECT is for proxies that clients choose; this is a Service", http.StatusNotImplemented)
		return
	case r.Method == "PRI":
		w.Header().Set("Connection", "close")
		sp.refuse(w, "400 Bad Request: "+errBadPreface.Error(), http.StatusBadRequest)
		return
	case r.ProtoMajor == 2:
		if err := checkHTTP2Length(r); err != nil {
			sp.refuse(w, "400 Bad Request: "+err.Error(), http.StatusBadRequest)
			return
		}
		if !sp.slots.tryAcquire() {
			sp.reportFull()
			sp.answers.count(sp.answerFailure(w, r, &noAnswerError{reason: errTooManyClients}))
			return
		}
		defer sp.slots.release()
	}
	sp.forwarder.forward(w, r, sp)
}

// refuse answers a request that is not for an endpoint.
func (sp *servicePort) refuse(w http.ResponseWriter, why string, code int) {
	sp.answers.count(code)
	http.Error(w, why, code)
}

// fullPause is how long nothing is said after it was said that a port has no more slots.
const fullPause = time.Minute

// fullAdvice is what follows from it, and what to do.
const fullAdvice = "further ones wait until others have gone: raise the limit of open files (ulimit -n), or find out who keeps so many open"

// isTimeToSay reports whether that was not said for a while, and notes that it is said now.
func isTimeToSay(said *atomic.Int64) bool {
	now, last := time.Now().Unix(), said.Load()
	return now-last >= int64(fullPause/time.Second) && said.CompareAndSwap(last, now)
}

// reportFull records, now and then, that further clients have to wait.
func (sp *servicePort) reportFull() {
	if isTimeToSay(&sp.fullSaid) {
		sp.proxy.record(sp.service, corev1.EventTypeWarning, "TooManyClients",
			fmt.Sprintf("port %d has %d clients at a time, which is its share; %s", sp.key.number, sp.slots.inUse(), fullAdvice))
	}
}

// publish swaps the table and lets held requests choose again.
func (sp *servicePort) publish(t *routingTable) {
	before := sp.table.Swap(t)
	markRemoved(before, t)
	readmit(before, t)
	sp.changes.fire()
}

// stopAccepting closes the listeners, so that their addresses are free, and ends the wait of held
// requests. Other requests in flight go on.
func (sp *servicePort) stopAccepting() {
	sp.stopOnce.Do(func() {
		close(sp.stopping)
		sp.slots.close()
		sp.placement.mu.Lock()
		defer sp.placement.mu.Unlock()
		for _, listener := range sp.listeners {
			if err := listener.Close(); err != nil {
				sp.proxy.opts.Logger.Error("Cannot close a listener", "address", listener.Addr(), "err", err)
			}
		}
	})
}

// drain stops accepting, waits for what is in flight, but no longer than timeout, and ends the
// rest. It returns when nothing is in flight any more.
func (sp *servicePort) drain(timeout time.Duration) {
	sp.stopAccepting()
	draining, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	for _, c := range sp.proxy.sweeper.ofPort(sp) {
		c.closeIdle()
	}
	if err := sp.server.Shutdown(draining); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		sp.proxy.opts.Logger.Error("Cannot shut a server down", "address", sp.address(), "err", err)
	}
	// all but the requests that the server has
	sp.inFlight.setFlags(flagNotifyZero)
	sp.waitIdle(draining)
	sp.inFlight.setFlags(flagClosed)
	sp.cancel()
	for _, c := range sp.proxy.sweeper.ofPort(sp) {
		c.cut()
	}
	_ = sp.handedOver.Close() // also if the server has not begun; never fails
	if err := sp.server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		sp.proxy.opts.Logger.Error("Cannot close a server", "address", sp.address(), "err", err)
	}
	sp.waitIdle(context.Background())
	sp.forwarder.close()
}

// waitIdle waits until nothing is in flight, or the context is done.
func (sp *servicePort) waitIdle(ctx context.Context) {
	for sp.inFlight.count() > 0 {
		select {
		case <-sp.idle:
		case <-ctx.Done():
			return
		}
	}
}

func (sp *servicePort) isStopping() bool {
	select {
	case <-sp.stopping:
		return true
	default:
		return false
	}
}

// address is where the port is served, "" if it is not.
func (sp *servicePort) address() string { return *sp.mainAddress.Load() }
