package process

import "net/netip"

// Listener is a TCP socket in the state LISTEN.
type Listener struct {
	// Addr is the address that it is bound to; unspecified for all of them.
	Addr netip.Addr
	Port int
	// Inode identifies the socket as long as it exists.
	Inode uint64
	// OnlyIPv6 says that a socket for all addresses refuses IPv4.
	OnlyIPv6 bool
}
