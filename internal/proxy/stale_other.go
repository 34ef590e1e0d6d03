//go:build !unix

package proxy

import "net"

// isStale cannot be known here: what is sent to a replica that has just closed the connection is
// lost.
func isStale(*net.TCPConn) bool { return false }
