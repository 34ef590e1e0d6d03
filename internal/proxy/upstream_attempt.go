package proxy

import "sync/atomic"

// upstreamAttempt is one attempt to get a request, or a TCP connection, to an instance of a Pod. A
// request has several if it is sent to another endpoint after a failure.
type upstreamAttempt struct {
	instance *instance
	sent     atomic.Bool
}

// markSent notes that something of the request was written to the endpoint, or that nothing will
// be. It may be called more than once.
func (a *upstreamAttempt) markSent() {
	if !a.sent.Swap(true) && a.instance.unsent.Add(-1) == 0 && a.instance.sentWanted.Load() {
		a.instance.checkSent()
	}
}
