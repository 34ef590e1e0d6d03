package engine

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/internal/healthcall"
)

// Probe is a Prober that was prepared for an engine: what its attempts have in common is formatted
// already. It is safe for concurrent use.
type Probe struct {
	engine *Engine
	prober probe.Prober
	fast   *target // nil: the fast path cannot take it
}

// target is what the fast path needs of a Prober.
type target struct {
	addr    netip.AddrPort
	remote  string // addr as a text
	timeout time.Duration
	http    *probe.HTTPGet // one of these two is set, or none for TCP
	grpc    *healthcall.Target
	request []byte // of HTTP
	prefix  string // what stands before an error of HTTP
}

// Prepare returns p in the form that [Engine.Go] and [Engine.Every] use best. It takes about as
// long as an attempt and sends nothing.
func (e *Engine) Prepare(p probe.Prober) *Probe {
	if prepared, ok := p.(*Probe); ok && prepared.engine == e {
		return prepared
	}
	return &Probe{engine: e, prober: p, fast: e.poller.target(p)}
}

// Probe performs one attempt by the engine and waits for the result, so that a Probe is a Prober.
// It must not be called from a callback.
func (p *Probe) Probe(ctx context.Context) probe.Result {
	if ctx.Err() != nil {
		return probe.Result{Err: fmt.Errorf("%w: %w", probe.ErrStopped, context.Cause(ctx))}
	}
	result := make(chan probe.Result, 1)
	cancel := p.engine.Go(p, func(r probe.Result) { result <- r })
	select {
	case r := <-result:
		return r
	case <-ctx.Done():
		if cancel() {
			return probe.Result{Err: fmt.Errorf("%w: %w", probe.ErrStopped, context.Cause(ctx))}
		}
		return <-result
	}
}

// newTarget returns what the fast path needs, or nil if it cannot take the Prober.
func newTarget(p probe.Prober) *target {
	t := newTargetOf(p)
	if t != nil {
		t.remote = t.addr.String()
	}
	return t
}

func newTargetOf(p probe.Prober) *target {
	switch p := p.(type) {
	case probe.HTTPGet:
		return newHTTPTarget(p)
	case probe.TCPSocket:
		if addr, ok := literal(p.Host, p.Port); ok && p.Dial == nil {
			return &target{addr: addr, timeout: timeoutOr(p.Timeout)}
		}
	case probe.GRPC:
		return newGRPCTarget(p)
	}
	return nil
}

// literal returns the address to connect to if no resolver is needed to find it out, and if its
// usual form is the one that is written, since texts quote what is written.
func literal(host string, port int) (netip.AddrPort, bool) {
	if host == "" {
		host = probe.DefaultHost
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.String() != host || ip.Zone() != "" || ip.Is4In6() || ip.IsUnspecified() || port < 1 || port > 65535 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(ip, uint16(port)), true
}

// timeoutOr returns the set time-out or the default.
func timeoutOr(set time.Duration) time.Duration {
	if set <= 0 {
		return probe.DefaultTimeout
	}
	return set
}
