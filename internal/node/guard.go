package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probe"
)

// locate looks who listens at a target of the Pod's own: an answer counts only if that socket
// belongs to the Pod's process tree (docs/differences.md, Identity). It fills in the loopback
// address that reaches the socket. A verdict says that there is nothing to attempt.
func (r *runner) locate(to *target) *probe.Result {
	tree := treeOf(r.processes())
	owner, err := r.identity.Owns(tree, to.port)
	if err == nil && owner.Owner == process.Nobody && r.ignoresPort(*to, tree) {
		r.portIgnored(to.declared)
		to.port = int(to.declared)
		owner, err = r.identity.Owns(tree, to.port)
	}
	switch {
	case err != nil: // our own trouble, not the service's
		return unevaluable(fmt.Errorf("cannot learn who listens on port %d: %w", to.port, err))
	case owner.Owner == process.Stranger:
		return &probe.Result{Outcome: probe.Failure, Output: fmt.Sprintf("port %d does not belong to this Pod: %s listens there", to.port, describe(owner))}
	}
	to.host = owner.Addr.String()
	if owner.Owner == process.Own {
		r.noteListening(to.declared, to.port)
	}
	return nil
}

// ignoresPort says whether the Pod listens on the declared port although it was told another one.
func (r *runner) ignoresPort(to target, tree func() ([]int, error)) bool {
	return to.declared != 0 && int(to.declared) != to.port && r.owns(tree, int(to.declared))
}

// describe names the process behind a port.
func describe(o process.Ownership) string {
	if o.PID == 0 {
		return "a process that cannot be seen from here"
	}
	return fmt.Sprintf("process %d (%s)", o.PID, o.Command)
}

// CheckListener says why an answer at an address of this machine would not be that of a Pod: who
// listens there is not of the Pod's processes, or nobody does. Who sends something to a Pod asks
// this first, because a probe need not have: another program may have taken the port before the
// Pod's.
func (n *Node) CheckListener(ctx context.Context, pod types.UID, address netip.AddrPort) error {
	n.mu.Lock()
	r := n.runners[pod]
	n.mu.Unlock()
	if r == nil {
		return errNotRunning
	}
	answer := make(chan error, 1)
	r.post(func() { answer <- r.checkListener(address) })
	select {
	case err := <-answer:
		return err
	case <-r.ctx.Done():
		return errNotRunning
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var errNotRunning = errors.New("the Pod does not run any more")

func (r *runner) checkListener(address netip.AddrPort) error {
	owner, err := r.identity.Owns(treeOf(r.processes()), int(address.Port()))
	switch {
	case err != nil:
		return fmt.Errorf("cannot learn who listens on port %d: %w", address.Port(), err)
	case owner.Owner == process.Stranger:
		return fmt.Errorf("port %d does not belong to the Pod: %s listens there", address.Port(), describe(owner))
	case owner.Owner == process.Nobody || owner.Addr != address.Addr():
		return fmt.Errorf("the Pod does not listen on %s", address)
	}
	return nil
}
