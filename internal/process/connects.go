package process

import (
	"net/netip"
	"sync"
	"syscall"
)

// Connect is a connection that a program is about to make, or a datagram that it is about to send
// without one.
type Connect struct {
	// Network is tcp, udp or unix.
	Network string
	// Address is where it would lead, of tcp and udp. An IPv4 address is one, however it was given.
	Address netip.AddrPort
	// Path is where it would lead, of unix; one in the abstract namespace begins with @.
	Path string
	// Unconnected reports that it is a datagram: what its socket sends goes to a different address
	// each time, and what it receives may come from any.
	Unconnected bool
}

// Route is where a connection leads. The zero value is where the program wants.
type Route struct {
	// To is another address. If it is of IPv4, a socket of IPv6 reaches it as a mapped one.
	To netip.AddrPort
	// Refused, if not 0, is what connect(2) fails with: nothing is connected then.
	Refused syscall.Errno
	// Keep, if not nil, gets a datagram that is sent without a connection. Its program goes on as
	// if it were sent. To and Refused are not for those: the answer would come from an address that
	// the program has not asked, and the kernel tells nobody of the refusal.
	Keep Keeper
}

// Keeper gets datagrams, each of which it has to send or to drop. It must not wait.
type Keeper interface{ Keep(*Datagram) }

// Datagram is what a program has sent from a socket that is connected to nothing, and what has not
// left it yet. Of Send and Drop, the first call counts.
type Datagram struct {
	once       sync.Once
	send, drop func()
}

// Send sends it from the program's own socket to where the program wanted. It is lost if that
// cannot be, as a datagram may be.
func (d *Datagram) Send() { d.once.Do(d.send) }

// Drop forgets it.
func (d *Datagram) Drop() { d.once.Do(d.drop) }
