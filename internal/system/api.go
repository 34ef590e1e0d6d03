package system

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/apiserver"
	"github.com/probity-run/probity/internal/apiserver/credentials"
	"github.com/probity-run/probity/internal/apiserver/guard"
	"github.com/probity-run/probity/internal/proxy"
)

// endTime is how long requests of the API may take to end when the system ends.
const endTime = time.Second

// firstPrograms is how long the programs of the manifests have the processors before keys and
// certificates are made for clients: a start takes half of it.
const firstPrograms = 50 * time.Millisecond

// api serves the Kubernetes API of a system. Whatever goes wrong with it, the Pods run on.
type api struct {
	system *System
	ready  chan struct{} // closed when clients can connect, or never will

	mu     sync.Mutex // guards server
	server *apiserver.Server
}

func newAPI(s *System) *api { return &api{system: s, ready: make(chan struct{})} }

// kubeconfig is the file by which clients find the API, once they can; "" if there is none.
func (a *api) kubeconfig() string {
	<-a.ready
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server == nil {
		return ""
	}
	return filepath.Join(a.system.state.dir, credentials.KubeconfigName)
}

// AwaitAPI waits until clients can connect to the API, or never will. Call it after Start.
func (s *System) AwaitAPI() { <-s.api.ready }

// run serves until the context is done. It is no error of the system if that cannot be.
func (a *api) run(ctx context.Context) error {
	if err := a.runAPI(ctx); err != nil {
		a.system.opts.Notice(fmt.Sprintf("probity: no Kubernetes API: %v; --no-api does without", err))
	}
	<-ctx.Done()
	return nil
}

func (a *api) runAPI(ctx context.Context) error {
	if a.system.opts.NoAPI {
		close(a.ready)
		return nil
	}
	select {
	case <-a.system.applied:
	case <-ctx.Done():
	}
	select {
	case <-time.After(firstPrograms):
	case <-ctx.Done():
	}
	serve, err := a.open(ctx)
	close(a.ready)
	if err != nil {
		return err
	}
	return serve()
}

// open makes everything that clients need. What it returns serves them.
func (a *api) open(ctx context.Context) (func() error, error) {
	s := a.system
	keys, err := credentials.Open(credentials.Options{
		Folder: s.state.root, Instance: s.state.name(), Address: s.opts.APIAddress, NewToken: s.opts.NewToken,
	})
	if err != nil {
		return nil, err
	}
	last, err := keys.LastPort()
	if err != nil {
		return nil, err
	}
	listeners, at, err := listenAPI(ctx, s.opts.APIAddress, last)
	if err != nil {
		return nil, err
	}
	var server *apiserver.Server
	g := guard.New(guard.Options{
		Port: at.Port(), Address: s.opts.APIAddress, IsToken: keys.IsToken, Logger: s.opts.Logger,
		Refuse: func(w http.ResponseWriter, r *http.Request, reason *apierrors.StatusError) {
			server.Refuse(w, r, reason)
		},
	})
	server, err = apiserver.New(apiserver.Options{
		Store: s.store, Registry: s.registry, Runner: s, Applier: s, Guard: g, Stopping: s.Stopping, Logger: s.opts.Logger, Version: s.opts.Version,
		History: s.History(), Traffic: s.traffic(),
		Fields: s.fields, Drill: s.drillHandler(),
	})
	if err != nil {
		return nil, errors.Join(err, closeAll(listeners))
	}
	if err := a.publish(ctx, keys, at); err != nil {
		return nil, errors.Join(err, closeAll(listeners))
	}
	a.mu.Lock()
	a.server = server
	a.mu.Unlock()
	handler, releaseMemory := releaseMemory(server)
	h := g.Server(handler)
	h.TLSConfig = keys.TLSConfig()
	return func() error {
		var releasing sync.WaitGroup
		defer releasing.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer server.Wait()
		defer cancel()
		h.BaseContext = func(net.Listener) context.Context { return ctx } // watches and streams end with it
		releasing.Go(func() { releaseMemory(ctx) })
		return serveAll(ctx, h, g, listeners)
	}, nil
}

// traffic is what tells of the proxy; nil if there is none.
func (s *System) traffic() func() proxy.State {
	if s.proxy == nil {
		return nil
	}
	return s.proxy.State
}

// publish tells clients where the API is.
func (a *api) publish(ctx context.Context, keys *credentials.Credentials, at netip.AddrPort) error {
	if err := keys.Publish(at); err != nil {
		return err
	}
	opts := a.system.opts
	if opts.Kubeconfig != "" {
		entry := keys.Entry(at)
		if err := credentials.MergeKubeconfig(ctx, opts.Kubeconfig, entry); err != nil {
			opts.Notice("probity: " + err.Error())
		} else {
			opts.Notice(fmt.Sprintf("probity: kubectl --context %s reaches this run", entry.Name))
		}
	}
	if opts.APIAddress.IsValid() {
		opts.Notice(fmt.Sprintf("probity: the Kubernetes API is open at %s: who has the token reads Secrets and runs commands here", netip.AddrPortFrom(opts.APIAddress, at.Port())))
	}
	return nil
}

// listenAPI listens at loopback, at the port of the last run if that is free, and at another
// address if there is one.
func listenAPI(ctx context.Context, address netip.Addr, last uint16) ([]net.Listener, netip.AddrPort, error) {
	var config net.ListenConfig
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	first, err := config.Listen(ctx, "tcp", netip.AddrPortFrom(loopback, last).String())
	if err != nil && last != 0 {
		first, err = config.Listen(ctx, "tcp", netip.AddrPortFrom(loopback, 0).String())
	}
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	at := first.Addr().(*net.TCPAddr).AddrPort()
	listeners := []net.Listener{first}
	if address.IsValid() && !address.IsLoopback() {
		other, err := config.Listen(ctx, "tcp", netip.AddrPortFrom(address, at.Port()).String())
		if err != nil {
			return nil, netip.AddrPort{}, errors.Join(fmt.Errorf("cannot listen at --api-address: %w", err), first.Close())
		}
		listeners = append(listeners, other)
	}
	return listeners, at, nil
}

func closeAll(listeners []net.Listener) (err error) {
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}

// serveAll serves all listeners until the context is done.
func serveAll(ctx context.Context, h *http.Server, g *guard.Guard, listeners []net.Listener) error {
	var serving sync.WaitGroup
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		serving.Go(func() { failed <- h.ServeTLS(g.Listener(l), "", "") })
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		err = h.Shutdown(ending)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			err = nil // who has not left by then is cut
		}
	}
	err = errors.Join(err, h.Close())
	serving.Wait()
	return err
}
