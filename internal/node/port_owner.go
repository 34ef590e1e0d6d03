package node

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

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

// own reports whether the Pod listens on a port, for certain.
func (owns ownsFunc) own(port int) bool {
	owner, err := owns(port)
	return err == nil && owner.Owner == process.Own
}

// locate finds the socket of a target in the Pod itself. An answer counts only if that socket
// belongs to the Pod's process tree (docs/differences.md, Identity). It fills in the port, which is
// the declared one if the Pod listens there and not on its private one (adopted), and the loopback
// address that reaches the socket. A verdict means that there is nothing to attempt.
func locate(to target, owns ownsFunc) (located target, adopted bool, verdict *probe.Result) {
	owner, err := owns(to.port)
	if err == nil && owner.Owner == process.Nobody && to.declared != 0 && int(to.declared) != to.port && owns.own(int(to.declared)) {
		to.port, adopted = int(to.declared), true
		owner, err = owns(to.port)
	}
	switch {
	case err != nil: // our own trouble, not the service's
		return to, adopted, unevaluable(fmt.Errorf("cannot learn who listens on port %d: %w", to.port, err))
	case owner.Owner == process.Stranger:
		return to, adopted, &probe.Result{Outcome: probe.Failure, Output: fmt.Sprintf("port %d does not belong to this Pod: %s listens there", to.port, describe(owner))}
	}
	to.host = owner.Addr.String()
	return to, adopted, nil
}

// portInUse explains why a program whose port somebody else has cannot run on this machine; "" if
// that is not why it exited.
func portInUse(pod *corev1.Pod, c *corev1.Container, exit process.Exit, owns ownsFunc) string {
	if exit.Code == 0 || exit.Signal != 0 {
		return ""
	}
	for _, p := range c.Ports {
		owner, err := owns(int(p.ContainerPort))
		if err == nil && owner.Owner == process.Stranger {
			return portTaken(pod, c, p.ContainerPort, owner)
		}
	}
	return ""
}

// portTaken is one sentence with what to do about a declared port that somebody else has.
func portTaken(pod *corev1.Pod, c *corev1.Container, declared int32, owner process.Ownership) string {
	if manifest.FixedPorts(&pod.ObjectMeta, &pod.Spec) {
		return fmt.Sprintf("Port %d is taken by %s, and %s has it fixed: end that process, or run one replica", declared, describe(owner), c.Name)
	}
	return fmt.Sprintf("Port %d is taken by %s: if %s needs it, let it listen on the port in PORT, or run one replica", declared, describe(owner), c.Name)
}

// describe names the process behind a port.
func describe(o process.Ownership) string {
	if o.PID == 0 {
		return "a process that cannot be seen from here"
	}
	return fmt.Sprintf("process %d (%s)", o.PID, o.Command)
}
