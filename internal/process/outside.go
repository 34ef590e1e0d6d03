package process

import "net/netip"

// Connection is a TCP connection that processes hold.
type Connection struct {
	Local, Remote netip.AddrPort
	Inode         uint64 // of the socket
}

// Outside is what leads out of some processes.
type Outside struct {
	// Connections are those that are established, whoever made them.
	Connections []Connection
	// Rings are the processes that have an io_uring, by which they can connect without connect(2).
	Rings []int
	// Hidden are the processes whose descriptors may not be read.
	Hidden []int
}
