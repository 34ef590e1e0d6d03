//go:build !unix

package proxy

import "net"

// hasUnread cannot be found out on this system.
func hasUnread(uintptr) bool { return false }

// lookAtPeer cannot see anything on this system: who has left is found when it is written to.
func lookAtPeer(*net.TCPConn) peerState { return peerOpen }
