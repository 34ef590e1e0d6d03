package node

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probe"
)

// guarded is the prober of a Pod's own socket: an answer counts only if that socket belongs to the Pod's process tree (DESIGN section 4).
type guarded struct {
	identity *process.Identity
	tree     func() []int
	target   target
	probe    *corev1.Probe
	client   *probe.HTTPClient
	moved    func(declared int32) // the Pod listens on the declared port instead of the private one
}

// Probe looks who listens, then makes the attempt.
func (g *guarded) Probe(ctx context.Context) probe.Result {
	owner, err := g.identity.Owns(g.tree, g.target.port)
	if err == nil && owner.Owner == process.Nobody && g.ignoresPort() {
		g.moved(g.target.declared)
		g.target.port = int(g.target.declared)
		owner, err = g.identity.Owns(g.tree, g.target.port)
	}
	switch {
	case err != nil: // our own trouble, not the service's
		return probe.Result{Outcome: probe.Unknown, Err: fmt.Errorf("cannot learn who listens on port %d: %w", g.target.port, err)}
	case owner.Owner == process.Stranger:
		return probe.Result{Outcome: probe.Failure, Output: fmt.Sprintf("port %d does not belong to this Pod: %s listens there", g.target.port, describe(owner))}
	}
	g.target.host = owner.Addr.String()
	return networkProber(g.probe, g.target, g.client).Probe(ctx)
}

// ignoresPort says whether the Pod listens on the declared port although it was told another one.
func (g *guarded) ignoresPort() bool {
	if g.target.declared == 0 || int(g.target.declared) == g.target.port {
		return false
	}
	owner, err := g.identity.Owns(g.tree, int(g.target.declared))
	return err == nil && owner.Owner == process.Own
}

// describe names the process behind a port.
func describe(o process.Ownership) string {
	if o.PID == 0 {
		return "a process that cannot be seen from here"
	}
	return fmt.Sprintf("process %d (%s)", o.PID, o.Command)
}
