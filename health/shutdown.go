package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"
)

// Drain is one registered function that ends what is in flight. Its methods do nothing on a nil
// Drain.
type Drain struct {
	h    *Health
	name string
	end  func(context.Context) error
}

// Remove takes the function out, of a server that was closed meanwhile for example. It changes
// nothing once the functions were called.
func (d *Drain) Remove() {
	if d == nil {
		return
	}
	d.h.mu.Lock()
	defer d.h.mu.Unlock()
	d.h.drains = slices.DeleteFunc(slices.Clone(d.h.drains), func(other *Drain) bool { return other == d })
}

// Drain registers a function that ends something when the service stops, as in Drain("http",
// server.Shutdown). All such functions are called at the same time, after ShutdownDelay, with a
// context that ends after DrainTimeout. One that fails, panics or goes on after that makes
// [Health.Run] return an error.
func (h *Health) Drain(name string, end func(context.Context) error) *Drain {
	h.mu.Lock()
	defer h.mu.Unlock()
	if end == nil {
		h.misusedLocked(fmt.Errorf("cannot drain %q: it has no function", name))
		return nil
	}
	d := &Drain{h, name, end}
	h.drains = append(h.drains, d)
	return d
}

// drain calls the registered functions and returns what went wrong. It waits until patient ends.
func (h *Health) drain(patient context.Context, r *run) error {
	h.mu.Lock()
	drains := h.drains
	h.mu.Unlock()
	results := make(chan error, len(drains))
	ctx, cancel := context.WithTimeout(patient, r.options.DrainTimeout)
	defer cancel()
	for _, d := range drains {
		r.group.start(goroutine{d.name, func(context.Context) {
			err := errors.New("it ended its goroutine")
			defer func() {
				if err != nil {
					err = fmt.Errorf("cannot drain %s: %w", d.name, err)
				}
				results <- err
			}()
			err = call(func() error { return d.end(ctx) })
			r.log.panicked("Drain panics", d.name, err)
		}})
	}
	var errs error
	over, late := ctx.Done(), (<-chan time.Time)(nil)
	for left := len(drains); left > 0; {
		select {
		case err := <-results:
			errs = errors.Join(errs, err)
			left--
		case <-over:
			over, late = nil, time.After(slack)
		case <-late:
			return errs // join names those that are missing
		}
	}
	return errs
}

// PreStop is a handler for a preStop hook (httpGet): it makes the service unready at once and
// answers after ShutdownDelay, so that Run need not wait for it again after the SIGTERM that
// follows. Mount it only where nobody but the kubelet can reach it, since it takes the replica out
// of service for good; [Health.Handler] does not include it.
func (h *Health) PreStop(w http.ResponseWriter, r *http.Request) {
	since := h.stop()
	if since.IsZero() {
		http.Error(w, "Run has not been called", http.StatusServiceUnavailable)
		return
	}
	if options, err := h.options.settings(inCluster()); err == nil {
		sleep(r.Context(), h.delay(options)-time.Since(since))
	}
	w.WriteHeader(http.StatusOK)
}

// Serve is [Health.Run] for a service that is one HTTP server: it listens at server.Addr, serves
// (TLS if server.TLSConfig has certificates), and drains the server when ctx ends. If the server
// dies before, Serve stops and returns why. While it drains, new connections are refused, those of
// probes too: a router can then try another replica, and the kubelet does not ask (R160).
func (h *Health) Serve(ctx context.Context, server *http.Server) error {
	if server == nil {
		return errors.New("cannot serve: there is no server")
	}
	listener, err := net.Listen("tcp", cmp.Or(server.Addr, ":http"))
	if err != nil {
		return fmt.Errorf("cannot serve, choose another Addr: %w", err)
	}
	h.Drain("http server", func(ctx context.Context) error {
		if err := server.Shutdown(ctx); err != nil {
			return errors.Join(fmt.Errorf("requests in flight are cut off: %w", err), server.Close())
		}
		return nil
	})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		defer cancel()
		served <- serve(server, listener)
	}()
	err = h.Run(ctx)
	return errors.Join(err, server.Close(), <-served) // closed here if Run refused to begin
}

func serve(server *http.Server, listener net.Listener) error {
	run := server.Serve
	if c := server.TLSConfig; c != nil && (len(c.Certificates) > 0 || c.GetCertificate != nil || c.GetConfigForClient != nil) {
		run = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	if err := run(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot serve: %w", err)
	}
	return nil
}
