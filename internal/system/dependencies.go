package system

import (
	"errors"
	"net/netip"

	"github.com/probity-run/probity/internal/relay"
)

// DependencyOptions has a system find out what its Pods connect to, and lets it break that. The zero
// value does neither, and costs nothing.
type DependencyOptions struct {
	// Watch are the Pods whose connections go through relays, by namespace and name of their
	// container; nil: none, and no dependency is found.
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

// Dependency is something that Pods connect to.
type Dependency struct {
	// Name is unique: that of a Service, of [DependencyOptions.Variables], a guess by the port, or
	// the address.
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

// Dependencies lists what was found so far, by name.
func (s *System) Dependencies() []Dependency { return nil }

// SetMode has connections to a dependency go on as mode says, until undo. Undo can be called more
// than once; it leaves a mode alone that was set later.
func (s *System) SetMode(name string, mode relay.Mode) (undo func() error, err error) {
	return nil, errors.New("dependencies cannot be broken yet")
}

// BlindSpots lists where dependencies of the Pods that run now may be that were not found.
func (s *System) BlindSpots() []BlindSpot { return nil }

// CannotWatch is why connections cannot be watched on this machine; nil if they can.
func (s *System) CannotWatch() error { return nil }
