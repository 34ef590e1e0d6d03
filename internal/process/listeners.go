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

// reached returns the listeners, among those of one port, of which the kernel
// chooses one for a connection to the loopback address to: those bound to exactly
// this address, else those bound to any. There can be several by SO_REUSEPORT.
func reached(all []Listener, to netip.Addr) []Listener {
	ranks := []func(Listener) bool{
		func(l Listener) bool { return l.Addr == to },
		func(l Listener) bool { return l.Addr.IsUnspecified() && l.Addr.Is4() == to.Is4() },
		func(l Listener) bool { return l.Addr == netip.IPv6Unspecified() && to.Is4() && !l.OnlyIPv6 },
	}
	for _, matches := range ranks {
		var some []Listener
		for _, l := range all {
			if matches(l) {
				some = append(some, l)
			}
		}
		if len(some) > 0 {
			return some
		}
	}
	return nil
}
