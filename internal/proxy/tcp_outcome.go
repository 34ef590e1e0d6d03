package proxy

// clientEnd is what the client of a TCP connection has done before the endpoint ended it.
type clientEnd int32

const (
	// clientSends: nothing, so it would have gone on.
	clientSends clientEnd = iota
	// clientSendsNoMore: it has ended its side of the connection, or all of it.
	clientSendsNoMore
	// clientLeft: it is known to have closed the connection, or has reset it.
	clientLeft
)

// tcpOutcome is how a connection ended of which the endpoint's direction came to an end. An end by
// the endpoint is a cut only for a client that would have gone on, or that is reset while it waits
// for an answer: most endpoints end a connection because the client has.
func tcpOutcome(answer copyEnd, client clientEnd) requestOutcome {
	switch {
	case client == clientLeft || answer == copySinkBroke:
		return requestClientGone
	case client == clientSendsNoMore && answer == copyDone:
		return requestServed
	}
	return requestCut
}
