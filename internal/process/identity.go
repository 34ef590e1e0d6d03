package process

import "net/netip"

// Owner is the answer to the question whether a port belongs to a process tree.
type Owner int

const (
	// Unknown means that it cannot be found out: the system does not show it, or the descriptors of
	// a process may not be read. Treat it as Own.
	Unknown Owner = iota
	// Nobody listens on a loopback address of the port.
	Nobody
	// Own means that only processes of the tree can answer.
	Own
	// Stranger means that a process outside of the tree can answer.
	Stranger
)

// Ownership is who answers on a port of this machine.
type Ownership struct {
	Owner Owner
	// Addr is the loopback address that this is about, and the one to dial: the Pod's own, or
	// 127.0.0.1 or ::1 if somebody listens only there, or the tree does.
	Addr netip.Addr
	// Bound is the address that the socket is bound to, unspecified if to all of them. Of a socket
	// for all addresses of IPv6 that refuses IPv4 it is Addr.
	Bound netip.Addr
	// PID is a process that holds the socket, 0 if none could be seen.
	PID int
	// Command is the name of that process.
	Command string
}

// loopbacks are the addresses at which a Pod is looked for, its own before those of everybody.
func loopbacks(own netip.Addr) []netip.Addr {
	all := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	if own.IsValid() && own != all[0] {
		all = append([]netip.Addr{own}, all...)
	}
	return all
}
