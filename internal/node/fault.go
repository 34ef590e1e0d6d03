package node

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
)

// errNoFaults says that processes of this system take no faults.
var errNoFaults = errors.New("faults need Linux")

// Inject does a fault to the process of a container that runs: see [process.Faulty]. A container
// that is restarted has none of it.
func (n *Node) Inject(pod types.UID, container string, fault process.Fault) (undo func() error, err error) {
	r := n.runner(pod)
	if r == nil {
		return nil, errNotRunning
	}
	inst, err := ask(r, func() (*instance, error) { return r.instance(container) })
	if err != nil {
		return nil, err
	}
	faulty, ok := inst.process.(process.Faulty)
	if !ok {
		return nil, errNoFaults
	}
	return faulty.Inject(fault)
}

// instance is the one of a container that runs.
func (r *runner) instance(container string) (*instance, error) {
	if inst := r.running[container]; inst != nil {
		return inst, nil
	}
	return nil, fmt.Errorf("container %s does not run", container)
}
