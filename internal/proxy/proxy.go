package proxy

import (
	"cmp"
	"context"
	"errors"
	"log"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/store"
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
	// long as they like. Default one minute.
	ClientTimeout time.Duration
	// MaxConnections is how many connections of clients all Services together accept at a time,
	// each Service port no more than its share. Further ones wait in the kernel's queues. A request
	// within an HTTP/2 connection counts as one more; it is refused if there is no place for it.
	// Default: as many as the limit of open descriptors allows, at most 16384.
	MaxConnections int
	// Reserved, if not nil, names who a port is to be left to, such as a Pod with fixed ports; ""
	// means nobody. A Service that did not get its port for that reason gets it when a change of a
	// Pod has freed it. It is called from the goroutine of Run.
	Reserved func(port int) string
	// CheckListener, if not nil, says why what answers at an address would not be the Pod; nil if
	// it is. It is called before the first request to each process of a Pod, and must not take
	// longer than the context. Default: whoever listens there gets the requests.
	CheckListener func(ctx context.Context, pod types.UID, address netip.AddrPort) error
	// Logger gets what is neither an Event nor an answer. Default: nothing is logged.
	Logger *slog.Logger
}

// Proxy serves the Services of a store. Make it with [New]. Its methods are safe for concurrent
// use.
type Proxy struct {
	opts    Options
	httpLog *log.Logger
	pods    podRegistry
	buffers bufferPool
	slots   clientSlots
	// the goroutines that serve listeners and TCP clients, drain ports and redial ejected endpoints
	running sync.WaitGroup
	// cache and unserved belong to the loop of Run.
	cache cache
	// what was said of a Service's ports that nobody serves
	unserved map[types.NamespacedName]string

	mu    sync.Mutex // guards ports against readers; only the loop writes
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
		ports:   map[portKey]*servicePort{},

		unserved: map[types.NamespacedName]string{},
	}
	p.pods = podRegistry{reportLoss: p.reportLoss, byUID: map[types.UID]*pod{}}
	return p
}

// Run serves until the context is done. Then it accepts nothing more, waits for what is in flight,
// but no longer than the DrainTimeout, and returns when nothing that it started is left. It can be
// called once.
func (p *Proxy) Run(ctx context.Context) error {
	defer p.running.Wait()
	defer p.drainAll()
	watch, err := p.resync()
	if err != nil {
		return err
	}
	for {
		change, err := watch.Next(ctx)
		switch {
		case apierrors.IsResourceExpired(err):
			// the loop was too slow, and the store has dropped changes
			if watch, err = p.resync(); err != nil {
				return err
			}
			continue
		case err != nil && errors.Is(err, ctx.Err()):
			return nil
		case err != nil:
			return err
		}
		for _, name := range p.cache.update(change) {
			p.reconcile(name)
		}
		if pod, ok := change.Object.(*corev1.Pod); ok {
			if change.Type == store.Deleted {
				p.pods.forget(pod.UID)
			}
			p.reclaimPorts()
		}
	}
}

// resync brings everything to what the store says now, and begins a watch there.
func (p *Proxy) resync() (*store.Watch, error) {
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
	for _, name := range p.cache.byAge(names) {
		p.reconcile(name)
	}
	return p.opts.Store.Watch(store.WatchOptions{From: version, Kinds: watchedKinds()})
}

// drainAll drains all ports at the same time and waits for them.
func (p *Proxy) drainAll() {
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
