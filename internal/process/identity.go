package process

import "net/netip"

// Owner says whose a port is.
type Owner int

const (
	// Unknown means that it cannot be told: the system does not say, or a process
	// of the tree hides its descriptors. Treat it as Own.
	Unknown Owner = iota
	// Nobody listens on a loopback address of the port.
	Nobody
	// Own means that only processes of the tree can answer.
	Own
	// Stranger means that a process outside of the tree can answer.
	Stranger
)

// String is for messages and test failures.
func (o Owner) String() string {
	return [...]string{"unknown", "nobody", "own", "stranger"}[o]
}

// Ownership is who answers on a port of this machine.
type Ownership struct {
	Owner Owner
	// Addr is the loopback address that this is about: 127.0.0.1, or ::1 if only
	// there somebody listens, or the tree does. It is what to dial.
	Addr netip.Addr
	// PID is a process that holds the socket, 0 if none could be seen.
	PID int
	// Command is the name of that process.
	Command string
}

func loopbacks() [2]netip.Addr {
	return [2]netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
}
