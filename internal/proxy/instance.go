package proxy

import (
	"sync"
	"sync/atomic"
	"time"
)

// instance is one run of the process that serves a Pod's requests, from its start to its end. It
// knows which requests are in flight at that process, and what the end of it cost the clients. A
// Pod whose process is restarted gets a new instance; see [pod].
type instance struct {
	inFlight inFlightCount
	pod      *pod
	// reportLoss is called at most once, with what the end of the process cost.
	reportLoss func(inst *instance, requests, connections int)
	unsent     atomic.Int64 // attempts of which nothing was written yet
	sentWanted atomic.Bool  // somebody waits for the channel sent

	mu sync.Mutex // guards the rest
	// closed and forgotten when nothing is in flight; nil if nobody waits
	drained        chan struct{}
	sent           chan struct{} // closed and forgotten when unsent is zero; nil if nobody waits
	lostRequests   recentCount   // that broke, while nobody knows yet that the process has ended
	cutConnections recentCount   // upgraded ones and those of TCP, likewise
	// requests that broke and may still be answered by another endpoint
	undecided int
	exit      string // how the process ended; empty while it runs
	reported  bool
}

// newInstance begins an instance of a Pod. reportLoss is called when the process has ended and it
// is decided of each request that was in flight whether it is lost, if any is.
func newInstance(p *pod, reportLoss func(inst *instance, requests, connections int)) *instance {
	inst := &instance{pod: p, reportLoss: reportLoss}
	inst.inFlight.onZero = inst.checkZero
	return inst
}

// requestBroke notes that the connection of a request in flight broke after the request was sent.
// Either brokenRequestLost or brokenRequestNotLost has to follow. The request is still counted as
// in flight.
func (inst *instance) requestBroke() {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.undecided++
}

// brokenRequestLost says that the client of a request that broke got no answer.
func (inst *instance) brokenRequestLost() {
	inst.mu.Lock()
	inst.undecided--
	inst.lostRequests.add(time.Now())
	inst.mu.Unlock()
	inst.checkZero()
}

// brokenRequestNotLost says that a request that broke was answered by another endpoint, or counts
// as lost there, or that its client did not wait for the answer.
func (inst *instance) brokenRequestNotLost() {
	inst.mu.Lock()
	inst.undecided--
	inst.mu.Unlock()
	inst.checkZero()
}

// connectionCut notes that an upgraded or a TCP connection was ended by the endpoint just now, not
// by the client. The connection is still counted as in flight.
func (inst *instance) connectionCut() {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.cutConnections.add(time.Now())
}

// whenDrained returns a channel that is closed when nothing is in flight: at once, if nothing is.
func (inst *instance) whenDrained() <-chan struct{} {
	inst.mu.Lock()
	if inst.drained == nil {
		inst.drained = make(chan struct{})
	}
	drained := inst.drained
	inst.inFlight.setFlags(flagNotifyZero)
	inst.mu.Unlock()
	inst.checkZero()
	return drained
}

// whenSent returns a channel that is closed when something of every request in flight was written:
// at once, if that is so.
func (inst *instance) whenSent() <-chan struct{} {
	inst.mu.Lock()
	if inst.sent == nil {
		inst.sent = make(chan struct{})
	}
	sent := inst.sent
	inst.sentWanted.Store(true)
	inst.mu.Unlock()
	inst.checkSent()
	return sent
}

// end ends the instance. If it is called more than once, the first text counts.
func (inst *instance) end(how string) {
	inst.mu.Lock()
	if inst.exit == "" {
		inst.exit = how
		now := time.Now()
		inst.lostRequests.keepAll(now)
		inst.cutConnections.keepAll(now)
	}
	inst.inFlight.setFlags(flagClosed | flagNotifyZero)
	inst.mu.Unlock()
	inst.checkZero()
}

// checkZero does what has to be done when nothing is in flight any more: it lets those go on who
// wait for that, and reports the loss if the process has ended.
func (inst *instance) checkZero() {
	inst.mu.Lock()
	if inst.inFlight.count() > 0 {
		inst.mu.Unlock()
		return
	}
	if inst.drained != nil {
		close(inst.drained)
		inst.drained = nil
		if inst.exit == "" {
			inst.inFlight.clearFlags(flagNotifyZero)
		}
	}
	report := inst.exit != "" && inst.undecided == 0 && !inst.reported
	inst.reported = inst.reported || report
	requests, connections := inst.lostRequests.total, inst.cutConnections.total
	inst.mu.Unlock()
	if report && requests+connections > 0 {
		inst.reportLoss(inst, requests, connections)
	}
}

// checkSent lets those go on who wait for all requests to be written.
func (inst *instance) checkSent() {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if inst.sent != nil && inst.unsent.Load() == 0 {
		close(inst.sent)
		inst.sent = nil
		inst.sentWanted.Store(false)
	}
}
