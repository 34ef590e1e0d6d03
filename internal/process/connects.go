package process

import (
	"net/netip"
	"syscall"
)

// Connect is a connection that a program is about to make.
type Connect struct {
	// Network is tcp, udp or unix.
	Network string
	// Address is where it would lead, of tcp and udp. An IPv4 address is one, however it was given.
	Address netip.AddrPort
	// Path is where it would lead, of unix; one in the abstract namespace begins with @.
	Path string
}

// Route is where a connection leads. The zero value is where the program wants.
type Route struct {
	// To is another address. If it is of IPv4, a socket of IPv6 reaches it as a mapped one.
	To netip.AddrPort
	// Refused, if not 0, is what connect(2) fails with: nothing is connected then.
	Refused syscall.Errno
}
