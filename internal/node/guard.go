package node

import (
	"fmt"

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
