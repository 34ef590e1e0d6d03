package dependency

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/relay"
)

// Options has a system find out what its Pods connect to, and lets it break that. The zero value
// does neither, and costs nothing.
type Options struct {
	// Watch are the containers whose connections go through relays, with their probes' commands and
	// hooks, whose container is "". Nil: none, and no dependency is found.
	Watch func(namespace, pod, container string) bool
	// Variables are the names of dependencies, and the environment variable that says where each
	// is, as in db: DATABASE_URL. They give names to what is found; where connections cannot be
	// watched, the variable is rewritten to lead to the relay. Default: none.
	Variables map[string]string
	// Modes are those of dependencies from the first start on, by their names. Default: pass.
	Modes map[string]relay.Mode
	// AllowRemote has connections to other machines go through relays, too. Default: they are
	// listed, and left alone.
	AllowRemote bool
	// Blind does as if this machine could not watch connections: for tests.
	Blind bool
}

// Host is where the Pods of a [Watcher] run. All fields but Notice are required.
type Host struct {
	// Starter starts processes.
	Starter process.Starter
	// TryConnects says why the starter cannot watch connections.
	TryConnects func() error
	// Pod finds a Pod by its namespace and name, or by its UID alone; nil if there is none.
	Pod func(namespace, name string, uid types.UID) *corev1.Pod
	// Services are those that there are now.
	Services func() []*corev1.Service
	// Listens returns nil if a Pod itself listens at an address.
	Listens func(ctx context.Context, pod types.UID, address netip.AddrPort) error
	// Notice gets what a person should know. It must not wait. Default: nobody is told.
	Notice func(line string)
}

// Dependency is something that Pods connect to.
type Dependency struct {
	// Name is unique: that of a Service, of [Options.Variables], a guess by the port, or the
	// address.
	Name string
	// Network is tcp or udp.
	Network string
	// Address is where the Pods wanted to connect, of several the first one.
	Address netip.AddrPort
	// Pods that have connected to it, as namespace/name, in order.
	Pods []string
	// Connects is how often they did.
	Connects int64
	// Refused says why it cannot be broken; "" if it can.
	Refused string
}

// BlindSpot is a way to the outside on which a container is not watched.
type BlindSpot struct {
	// Pod is its namespace/name.
	Pod string
	// Text says what it is and what follows, for people.
	Text string
}
