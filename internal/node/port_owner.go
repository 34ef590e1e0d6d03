package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probe"
)

// processTree lists the ids of processes and all their descendants.
type processTree func() ([]int, error)

// ownsFunc finds out who listens on a port.
type ownsFunc func(port int) (process.Ownership, error)

// portOwners finds out whether a Pod's own processes listen on its ports. Its methods are safe for
// concurrent use.
type portOwners struct {
	identity identity
	tree     func(process.Process) ([]int, error)
}

// treeOf is the tree of some processes.
func (o portOwners) treeOf(processes []process.Process) processTree {
	return func() ([]int, error) {
		var pids []int
		for _, p := range processes {
			some, err := o.tree(p)
			if err != nil {
				return nil, err
			}
			pids = append(pids, some...)
		}
		return pids, nil
	}
}

// among answers for the tree of some processes.
func (o portOwners) among(processes []process.Process) ownsFunc {
	tree := o.treeOf(processes)
	return func(port int) (process.Ownership, error) { return o.identity.Owns(tree, port) }
}

// own reports whether the Pod listens on a port, for certain, and the address of the socket.
func (owns ownsFunc) own(port int) (bound netip.Addr, ok bool) {
	owner, err := owns(port)
	return owner.Bound, err == nil && owner.Owner == process.Own
}

// located is a target whose socket was looked for.
type located struct {
	target
	adopted bool // the port is the declared one, although PORT told the program another one
	own     bool // the Pod listens there for certain
	// bound is the address of the Pod's socket
	bound netip.Addr
}

// locate finds the socket of a target in the Pod itself. An answer counts only if that socket
// belongs to the Pod's process tree (docs/differences.md, Identity). It fills in the port, which is
// the declared one if the Pod listens there and not on its private one (adopted), and the loopback
// address that reaches the socket. A verdict means that there is nothing to attempt.
func locate(to target, owns ownsFunc) (found located, verdict *probe.Result) {
	adopted := false
	owner, err := owns(to.port)
	if err == nil && owner.Owner == process.Nobody && to.declared != 0 && int(to.declared) != to.port {
		if _, ok := owns.own(int(to.declared)); ok {
			to.port, adopted = int(to.declared), true
			owner, err = owns(to.port)
		}
	}
	switch {
	case err != nil: // our own trouble, not the service's
		return located{target: to, adopted: adopted}, unevaluable(fmt.Errorf("cannot learn who listens on port %d: %w", to.port, err))
	case owner.Owner == process.Stranger:
		return located{target: to, adopted: adopted}, &probe.Result{Outcome: probe.Failure, Output: fmt.Sprintf("port %d does not belong to this Pod: %s listens there", to.port, describe(owner))}
	}
	to.host = owner.Addr.String()
	return located{to, adopted, owner.Owner == process.Own, owner.Bound}, nil
}

// portInUse explains why a program whose port somebody else has cannot run on this machine; "" if
// that is not why it exited.
func portInUse(pod *corev1.Pod, c *corev1.Container, exit process.Exit, owns ownsFunc, describe func(process.Ownership) string) string {
	if exit.Code == 0 || exit.Signal != 0 {
		return ""
	}
	for _, p := range c.Ports {
		owner, err := owns(int(p.ContainerPort))
		if err == nil && owner.Owner == process.Stranger {
			return portTaken(pod, c, p.ContainerPort, describe(owner))
		}
	}
	return ""
}

// portTaken is one sentence with what to do about a declared port that somebody else has.
func portTaken(pod *corev1.Pod, c *corev1.Container, declared int32, holder string) string {
	if manifest.FixedPorts(&pod.ObjectMeta, &pod.Spec) {
		return fmt.Sprintf("Port %d is taken by %s, and %s has it fixed: end that process, or run one replica", declared, holder, c.Name)
	}
	return fmt.Sprintf("Port %d is taken by %s: if %s needs it, let it listen on the port in PORT, or run one replica", declared, holder, c.Name)
}

// describe names the process behind a port.
func describe(o process.Ownership) string {
	if o.PID == 0 {
		return "a process that cannot be seen from here"
	}
	return fmt.Sprintf("process %d (%s)", o.PID, o.Command)
}

// CheckListener finds the socket of a Pod behind an address of it: there, or at the loopback
// addresses of everybody, where many programs listen. The error says why an answer would not be the
// Pod's: who listens there is not of its processes, or nobody does. Who sends something to a Pod
// asks this first, because a probe need not have: another program may have taken the port before
// the Pod's.
func (n *Node) CheckListener(ctx context.Context, pod types.UID, address netip.AddrPort) (netip.AddrPort, error) {
	n.mu.Lock()
	r := n.runners[pod]
	n.mu.Unlock()
	if r == nil {
		return address, errNotRunning
	}
	var found netip.AddrPort
	answer := make(chan error, 1)
	r.loop.post(func() {
		var err error
		found, err = checkListener(address, r.containers.ports.owners.among(r.running.processes()))
		answer <- err
	})
	select {
	case err := <-answer:
		return found, err
	case <-r.gone:
		return address, errNotRunning
	case <-ctx.Done():
		return address, context.Cause(ctx)
	}
}

var errNotRunning = errors.New("the Pod does not run any more")

func checkListener(address netip.AddrPort, owns ownsFunc) (netip.AddrPort, error) {
	owner, err := owns(int(address.Port()))
	switch {
	case err != nil:
		return address, fmt.Errorf("cannot learn who listens on port %d: %w", address.Port(), err)
	case owner.Owner == process.Stranger:
		return address, fmt.Errorf("port %d does not belong to the Pod: %s listens there", address.Port(), describe(owner))
	case owner.Owner == process.Nobody:
		return address, fmt.Errorf("the Pod does not listen on %s", address)
	}
	return netip.AddrPortFrom(owner.Addr, address.Port()), nil
}
