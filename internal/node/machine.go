package node

import (
	"net/netip"
	"time"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/engine"
)

// machine is what Pods need of this machine beside processes. All Pods of a node share it.
type machine struct {
	memory      int64 // bytes; 0 if unknown
	ports       portPool
	newIdentity func(podIP netip.Addr) identity // one per Pod
	tree        func(process.Process) ([]int, error)
	dead        func(pid int) bool
	parent      func(pid int) int
	inspector   processInspector
	newEngine   func() (probeEngine, error)
	close       func()
}

// portPool hands out private ports, as [process.Ports] does.
type portPool interface {
	Take() (int, error)
	Release(port int)
}

// identity finds out whether a port belongs to a process tree, as [process.Identity] does.
type identity interface {
	Owns(tree func() ([]int, error), port int) (process.Ownership, error)
}

// probeEngine makes the attempts of all probes of a node, as [engine.Engine] does. done is called
// on a goroutine that serves all of them, so it must not block.
type probeEngine interface {
	Prepare(p probe.Prober) probe.Prober
	Go(p probe.Prober, done func(probe.Result)) (cancel func() bool)
	Close()
}

// socketFreshness lets Pods whose probes are due together share one question about who listens
// where. It is shorter than what passes anyway between the question and the moment when the
// connection of the attempt is accepted.
const socketFreshness = 2 * time.Millisecond

// thisMachine is the machine that Probity runs on.
func thisMachine() machine {
	sockets := &process.Sockets{Freshness: socketFreshness}
	return machine{
		memory:      process.TotalMemory(),
		ports:       &process.Ports{},
		newIdentity: func(podIP netip.Addr) identity { return &process.Identity{Sockets: sockets, Own: podIP} },
		tree:        process.Tree,
		dead:        process.Dead,
		parent:      process.Parent,
		inspector:   processInspector{sockets.Held, process.DefaultAction, process.Command},
		newEngine:   newEngine,
		close:       sockets.Close,
	}
}

// preparingEngine is an [engine.Engine] whose prepared probes are Probers to its users.
type preparingEngine struct{ *engine.Engine }

// Prepare implements [probeEngine].
func (e preparingEngine) Prepare(p probe.Prober) probe.Prober { return e.Engine.Prepare(p) }

func newEngine() (probeEngine, error) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		return nil, err
	}
	return preparingEngine{e}, nil
}
