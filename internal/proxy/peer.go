package proxy

// peerState is what can be seen of the peer of a connection without reading what it sent.
type peerState int

const (
	// peerOpen: it may send more.
	peerOpen peerState = iota
	// peerSendsNoMore: it has closed the connection, or only its side of it.
	peerSendsNoMore
	// peerGone: it has reset the connection.
	peerGone
)

// hasLeft reports whether nobody is there any more who could read an answer. One who sends no more
// may still read, which only Linux can tell from one who has closed the connection.
func (c *http1Conn) hasLeft() bool {
	switch lookAtPeer(c.TCPConn) {
	case peerGone:
		return true
	case peerSendsNoMore:
		return isAbandoned(c.TCPConn, c.port.proxy.opts.Logger)
	}
	return false
}
