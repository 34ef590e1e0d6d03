package node

import (
	"context"
	"syscall"

	"github.com/probity-run/probity/internal/process"
)

// instance is one run of a container.
type instance struct {
	id      string
	number  int // how many restarts there were before
	program *invocation
	// done when the process is gone: then its hooks end too, as with a container's PID namespace
	ctx       context.Context
	gone      context.CancelFunc
	process   process.Process // nil until it is started
	output    *process.Log    // of it; closed some time after its end
	signal    syscall.Signal  // the stop signal, once it was sent
	inspected bool            // by inspection
}

// ended reports whether the process and its tree are gone.
func (i *instance) ended() bool {
	select {
	case <-i.process.Done():
		return true
	default:
		return false
	}
}

// instances are the running instances of a Pod's containers, by container. They belong to the
// loop's goroutine; the parts of a runner share them.
type instances map[string]*instance

// find is the running instance of a container, if it is that one; else nil.
func (m instances) find(container, id string) *instance {
	if inst := m[container]; inst != nil && inst.id == id {
		return inst
	}
	return nil
}

// processes lists the processes of all instances.
func (m instances) processes() []process.Process {
	var all []process.Process
	for _, inst := range m {
		all = append(all, inst.process)
	}
	return all
}

// pids are the process ids, by container.
func (m instances) pids() map[string]int {
	pids := make(map[string]int, len(m))
	for container, inst := range m {
		pids[container] = inst.process.PID()
	}
	return pids
}
