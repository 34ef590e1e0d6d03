package proxy

import (
	"cmp"
	"context"
	"errors"
	"log"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// component is the reporting component of the Events.
const component = "probity-proxy"

// Options of a [Proxy].
type Options struct {
	// Store holds Services, EndpointSlices and Pods, and takes Events. Required.
	Store *store.Store
	// DrainTimeout is how long the requests and connections in flight may take when a Service goes
	// or the proxy stops, until they are cut. Default 5 s.
	DrainTimeout time.Duration
	// ClientTimeout is how long a client may take to send the next part of an HTTP/1 body, or to
	// read the next part of an answer. After that its connection is closed, so that it does not
	// occupy an endpoint for ever. Upgraded connections and streams of HTTP/2 may be silent for as
	// long as they like. Default one minute; it may take a fifth of a second more.
	ClientTimeout time.Duration
	// MaxConnections is how many connections of clients all Services together accept at a time,
	// each Service port no more than its share. Further ones wait in the kernel's queues. A request
	// within an HTTP/2 connection counts as one more; it is refused if there is no place for it.
	// Default: as many as the limit of open descriptors allows, at most 16384.
	MaxConnections int
	// Claims, if not nil, are the port numbers that the Pods of the run have or may take, in the
	// light of the Pods that there are, and for how long that is so if nothing happens; 0 for ever.
	// It is called from one goroutine at a time, when what they have shown has changed, when that
	// time is over, and by [Proxy.MakeRoom] and [Proxy.ClaimsChanged].
	Claims func(pods map[types.NamespacedName]*corev1.Pod) (map[int32]workload.PortClaim, time.Duration)
	// CheckListener, if not nil, finds where a Pod listens behind one of its addresses; the error
	// says why what answers there would not be the Pod. It is called before the first request to
	// each process of a Pod, and must not take longer than the context. Default: whoever listens at
	// the address gets the requests.
	CheckListener func(ctx context.Context, pod types.UID, address netip.AddrPort) (netip.AddrPort, error)
	// Redirect, if not nil, gives the address to connect to instead of one of a Pod, host:port, so
	// that a fault can be put in between. It is called for each attempt. Default: the address.
	Redirect func(pod types.UID, address string) string
	// Routing is how requests are routed at first: see [Proxy.SetRouting].
	Routing Routing
	// Logger gets what is neither an Event nor an answer. Default: nothing is logged.
	Logger *slog.Logger
}

// Proxy serves the Services of a store. Make it with [New]. Its methods are safe for concurrent
// use.
type Proxy struct {
	opts    Options
	httpLog *log.Logger
	routing atomic.Pointer[Routing] // never nil
	pods    podRegistry
	buffers bufferPool
	heads   headPool
	slots   clientSlots
	// of HTTP/1
	exchanges exchanges
	upstreams upstreamPool
	pipes     pipes
	sweeper   sweeper
	// the goroutines that serve listeners and TCP clients, drain ports and redial ejected endpoints
	running sync.WaitGroup

	placing sync.Mutex // held while objects are taken in and ports are opened and closed
	// the rest down to mu is guarded by placing
	cache  cache
	claims map[int32]workload.PortClaim
	// what was said of a Service's ports that nobody serves
	unserved map[types.NamespacedName]string
	podPorts map[podPortKey]*podPort // who writes holds mu, too
	podSlots *portSlots              // of all of them together; nil if there are none
	expiry   *time.Timer             // when claims are not true any more
	stopped  bool                    // nothing is opened any more

	podsFullSaid  atomic.Int64  // when it was said last that podSlots are taken, in seconds
	claimsChanged chan struct{} // gets a value when they have to be read again

	mu    sync.Mutex // guards ports against readers; who writes holds placing, too
	ports map[portKey]*servicePort
}

// New makes a proxy. It does nothing before [Proxy.Run].
func New(opts Options) *Proxy {
	opts.DrainTimeout = cmp.Or(opts.DrainTimeout, 5*time.Second)
	opts.ClientTimeout = cmp.Or(opts.ClientTimeout, time.Minute)
	opts.MaxConnections = cmp.Or(opts.MaxConnections, clientLimit(descriptorLimit()))
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Proxy{
		opts:    opts,
		httpLog: slog.NewLogLogger(opts.Logger.Handler(), slog.LevelDebug),
		slots:   clientSlots{total: opts.MaxConnections},
		cache:   emptyCache(),
		ports:   map[portKey]*servicePort{},

		unserved: map[types.NamespacedName]string{}, podPorts: map[podPortKey]*podPort{}, claimsChanged: make(chan struct{}, 1),
	}
	p.SetRouting(opts.Routing)
	p.expiry = time.AfterFunc(time.Hour, p.ClaimsChanged)
	p.expiry.Stop()
	p.upstreams.idleTimeout = upstreamIdleTimeout
	p.sweeper = sweeper{
		upstreams: &p.upstreams, clientTimeout: opts.ClientTimeout, period: sweepPeriod, start: p.running.Go,
		conns: map[*http1Conn]bool{}, stopped: make(chan struct{}),
	}
	p.pods = podRegistry{reportLoss: p.reportLoss, byUID: map[types.UID]*pod{}}
	return p
}

// Run serves until the context is done. Then it accepts nothing more, waits for what is in flight,
// but no longer than the DrainTimeout, and returns when nothing that it started is left. It can be
// called once.
func (p *Proxy) Run(ctx context.Context) error {
	defer p.running.Wait()
	defer p.pipes.close()
	defer p.upstreams.close()
	defer p.sweeper.stop()
	defer p.drainAll()
	ctx, stopReading := context.WithCancel(ctx)
	defer stopReading()
	p.running.Go(func() { p.readChangedClaims(ctx) })
	watch, err := p.resync()
	if err != nil {
		return err
	}
	later := laterSlices{delay: p.endpointDelay}
	for {
		change, err := later.next(ctx, watch)
		switch {
		case apierrors.IsResourceExpired(err):
			// the loop was too slow, and the store has dropped changes
			later.changes = nil
			if watch, err = p.resync(); err != nil {
				return err
			}
			continue
		case err != nil && errors.Is(err, ctx.Err()):
			return nil
		case err != nil:
			return err
		}
		p.takeIn(change)
	}
}

// takeIn brings everything to what a change says.
func (p *Proxy) takeIn(change store.Change) {
	p.placing.Lock()
	defer p.placing.Unlock()
	pod, isPod := change.Object.(*corev1.Pod)
	var before *corev1.Pod
	if isPod {
		before = p.cache.pods[nameOf(pod)]
	}
	names := p.cache.update(change)
	if isPod && change.Type == store.Deleted {
		p.pods.forget(pod.UID)
	}
	if isPod && portsChanged(before, p.cache.pods[nameOf(pod)]) {
		p.placeAll()
	}
	for _, name := range names {
		p.reconcile(name)
	}
	if service, ok := change.Object.(*corev1.Service); ok && service.Spec.ClusterIP == corev1.ClusterIPNone {
		p.placePods()
	}
}

// MakeRoom gives up the ports that Pods to come may take, by the claims as they are now. When it
// returns their programs can listen. Its callers call it before such a Pod is made.
func (p *Proxy) MakeRoom() {
	p.placing.Lock()
	defer p.placing.Unlock()
	if !p.stopped {
		p.placeAll()
	}
}

// ClaimsChanged has the claims read again, as MakeRoom does, but does not wait for it.
func (p *Proxy) ClaimsChanged() {
	select {
	case p.claimsChanged <- struct{}{}:
	default:
	}
}

// readChangedClaims places every port anew when the claims have changed.
func (p *Proxy) readChangedClaims(ctx context.Context) {
	for {
		select {
		case <-p.claimsChanged:
			p.MakeRoom()
		case <-ctx.Done():
			return
		}
	}
}

// HoldsPort reports whether the proxy itself listens on a port number at any address, so that a
// program cannot at every one.
func (p *Proxy) HoldsPort(number int32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, sp := range p.ports {
		if sp.holds(isAtPort(int(number))) {
			return true
		}
	}
	for key := range p.podPorts {
		if key.number == number {
			return true
		}
	}
	return false
}

// CatchUp serves the Services that are in the store by now. When it returns they say where, which
// the programs of Pods that are made later find in their environment.
func (p *Proxy) CatchUp() {
	p.placing.Lock()
	defer p.placing.Unlock()
	p.readClaims()
	services, _ := listByName[*corev1.Service](p.opts.Store)
	changed := map[types.NamespacedName]bool{}
	for name, service := range services {
		if keepNewer(p.cache.services, service, store.Modified) {
			changed[name] = true
		}
	}
	for _, name := range p.cache.byAge(changed) {
		p.reconcile(name)
	}
}

// readClaims finds out which numbers Pods have or may take.
func (p *Proxy) readClaims() {
	if p.opts.Claims == nil {
		return
	}
	var valid time.Duration
	if p.claims, valid = p.opts.Claims(p.cache.pods); valid > 0 {
		p.expiry.Reset(valid)
	} else {
		p.expiry.Stop()
	}
}

// placeAll brings every port to where it is to be served.
func (p *Proxy) placeAll() {
	p.readClaims()
	names := map[types.NamespacedName]bool{}
	for name := range p.cache.services {
		names[name] = true
	}
	for _, name := range p.cache.byAge(names) {
		service := p.cache.services[name]
		for i := range service.Spec.Ports {
			declared := &service.Spec.Ports[i]
			if sp := p.ports[portKey{name, declared.Port}]; sp != nil && isTCP(declared) {
				p.place(sp, service, declared)
			}
		}
		p.annotateAddresses(service)
	}
	p.placePods()
}

// portsChanged reports whether a Pod has shown anything new of its ports.
func portsChanged(before, after *corev1.Pod) bool {
	if before == nil || after == nil || before.UID != after.UID {
		return true
	}
	return workload.IsFinished(before) != workload.IsFinished(after) || before.Status.PodIP != after.Status.PodIP ||
		before.Annotations[manifest.AnnotationBound] != after.Annotations[manifest.AnnotationBound] ||
		before.Annotations[manifest.AnnotationListening] != after.Annotations[manifest.AnnotationListening]
}

// resync brings everything to what the store says now, and begins a watch there.
func (p *Proxy) resync() (*store.Watch, error) {
	p.placing.Lock()
	defer p.placing.Unlock()
	var version string
	p.cache, version = newCache(p.opts.Store)
	existing := map[types.UID]bool{}
	for _, pod := range p.cache.pods {
		existing[pod.UID] = true
	}
	p.pods.keepOnly(existing)
	names := map[types.NamespacedName]bool{}
	for key := range p.ports {
		names[key.service] = true
	}
	for name := range p.cache.services {
		names[name] = true
	}
	p.readClaims()
	for _, name := range p.cache.byAge(names) {
		p.reconcile(name)
	}
	p.placePods()
	return p.opts.Store.Watch(store.WatchOptions{From: version, Kinds: watchedKinds()})
}

// drainAll drains all ports at the same time and waits for them.
func (p *Proxy) drainAll() {
	p.placing.Lock()
	defer p.placing.Unlock()
	p.stopped = true
	p.expiry.Stop()
	p.closePodPorts(func(podPortKey) bool { return true })
	var draining sync.WaitGroup
	for _, sp := range p.ports {
		draining.Go(func() { sp.drain(p.opts.DrainTimeout) })
	}
	draining.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.ports)
}

// wakeHeld lets requests that wait for an endpoint choose again.
func (p *Proxy) wakeHeld() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, sp := range p.ports {
		sp.changes.fire()
	}
}

func (p *Proxy) record(about corev1.ObjectReference, eventType, reason, message string) {
	p.opts.Store.Record(store.Occurrence{About: about, Type: eventType, Reason: reason, Message: message, Component: component})
}
