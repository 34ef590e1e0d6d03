//go:build !unix

package proxy

// sendOnce leaves everything to Write, as this system does not tell whether a connection is stale:
// what is sent to an endpoint that has just closed it is lost.
func (u *upstreamConn) sendOnce() (all bool, err error) { return false, nil }

// trySend is for systems that tell when something can be read.
func (u *upstreamConn) trySend(uintptr) bool { return true }
