package node

import (
	"errors"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/probe"
)

// errNoHandler is the error of a probe without a handler that is known here; validation refuses
// such a probe (R49).
var errNoHandler = errors.New("the probe has no handler")

// probers makes what performs the attempts of a Pod's probes.
type probers struct {
	pod      *corev1.Pod
	running  instances
	commands execStarter
	ports    *portWatch
	client   *probe.HTTPClient
	prepare  func(probe.Prober) probe.Prober
	redirect func(pod types.UID, kind lifecycle.ProbeType, probe *corev1.Probe, address netip.AddrPort) netip.AddrPort // nil: nowhere else
	prepared map[probeKey]preparedProbe
}

// preparedProbe is a probe over the network, formatted for the engine as long as its target stays
// the same.
type preparedProbe struct {
	target target
	prober probe.Prober
}

// prober is what performs an attempt, or a verdict if there is nothing to attempt.
func (p *probers) prober(a *attempt) (probe.Prober, *probe.Result) {
	if a.Probe.Exec != nil {
		command, err := p.commands.exec(a.Probe.Exec.Command, a.instance.program, a.timeout())
		if err != nil {
			return nil, unevaluable(err)
		}
		return command, nil
	}
	host, port, ok := address(a.Probe)
	if !ok {
		return nil, unevaluable(errNoHandler)
	}
	to, err := p.ports.allocation.ports.resolve(containerNamed(&p.pod.Spec, a.Container), host, port)
	if err != nil {
		return nil, unevaluable(err)
	}
	to, verdict := p.ports.find(to, p.running)
	if verdict != nil {
		return nil, verdict
	}
	return p.formatted(a.key(), a.Probe, p.redirected(a, to)), nil
}

// redirected is where an attempt goes that is to go to a target: see [Options].Redirect.
func (p *probers) redirected(a *attempt, to target) target {
	ip, err := netip.ParseAddr(to.host)
	if p.redirect == nil || to.foreign || err != nil {
		return to
	}
	address := netip.AddrPortFrom(ip, uint16(to.port))
	if other := p.redirect(p.pod.UID, a.Type, a.Probe, address); other != address {
		a.diverted = &diverted{from: address.String(), to: other.String()}
		to.host, to.port, to.shown = other.Addr().String(), int(other.Port()), a.diverted.from
	}
	return to
}

// formatted is the prober of a probe over the network, prepared once per target.
func (p *probers) formatted(key probeKey, spec *corev1.Probe, to target) probe.Prober {
	if prepared, ok := p.prepared[key]; ok && prepared.target == to {
		return prepared.prober
	}
	prepared := preparedProbe{to, p.prepare(networkProber(spec, to, p.client))}
	p.prepared[key] = prepared
	return prepared.prober
}

// unevaluable is the verdict on a probe that cannot be attempted (R47, R76).
func unevaluable(err error) *probe.Result {
	return &probe.Result{Outcome: probe.Unknown, Err: err}
}
