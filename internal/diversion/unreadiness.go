package diversion

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// unreadiness meets the readiness probes: HTTP is answered with 503, others find nobody.
type unreadiness struct {
	nobody  *refusal
	server  *http.Server
	address netip.AddrPort
	serving sync.WaitGroup
}

func newUnreadiness() (*unreadiness, error) {
	nobody, err := newRefusal()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		nobody.close()
		return nil, fmt.Errorf("cannot make a server that is not ready: %w", err)
	}
	answer := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "unready, as the annotation probity.run/fault says", http.StatusServiceUnavailable)
	}
	u := &unreadiness{
		nobody: nobody, address: l.Addr().(*net.TCPAddr).AddrPort(),
		server: &http.Server{Handler: http.HandlerFunc(answer), ReadHeaderTimeout: time.Minute, IdleTimeout: time.Minute},
	}
	u.serving.Go(func() { _ = u.server.Serve(l) }) // it ends with retire
	return u, nil
}

func (u *unreadiness) request(to string) string { return to }

func (u *unreadiness) probe(kind lifecycle.ProbeType, probe *corev1.Probe, to netip.AddrPort) netip.AddrPort {
	switch {
	case kind != lifecycle.Readiness:
		return to
	case probe.HTTPGet != nil && probe.HTTPGet.Scheme != corev1.URISchemeHTTPS:
		return u.address
	}
	return u.nobody.address
}

func (u *unreadiness) retire(ctx context.Context) {
	u.nobody.retire(ctx)
	_ = u.server.Close() // nobody waits for an answer any more
	u.serving.Wait()
}
