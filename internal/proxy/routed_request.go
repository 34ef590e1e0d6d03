package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// routedRequest routes one request, or one TCP connection: which endpoint it goes to, whether and
// where it is tried again, and how it is counted. It knows nothing of the bytes, which the
// relays and net/http copy:
//
//	rr.begin(port, client, idempotent)
//	for {
//		err := rr.next(ctx)            // chooses rr.endpoint
//		…                              // connect, send, receive
//		if ok || !rr.failed(failure, sent) { break }
//	}
//	rr.end(outcome)
//
// It belongs to one goroutine and can be used again after end.
type routedRequest struct {
	port       *servicePort
	routing    *Routing       // as it was when the request came
	client     netip.AddrPort // only if the port wantsClient
	idempotent bool

	endpoint *endpoint // of the current attempt; nil between two attempts
	attempt  *upstreamAttempt
	tried    []*endpoint
	// where the request broke last after it was sent, as long as it is not decided whether it is
	// lost; else nil
	brokenEndpoint *endpoint
	brokenInstance *instance
	holdUntil      time.Time // when the hold ends; zero as long as the request was not held
	began          time.Time // only for the ledger
	last           *endpoint // of the newest attempt; nil if there was none
}

// requestOutcome is how a request, or a TCP connection, ended.
type requestOutcome int

const (
	// requestServed: the client got what the endpoint answered.
	requestServed requestOutcome = iota
	// requestClientGone: the client went away.
	requestClientGone
	// requestFailed: every attempt failed, and the client got an error.
	requestFailed
	// requestAborted: the answer broke off.
	requestAborted
	// requestCut: the endpoint ended an upgraded or a TCP connection before its client did. The
	// instance was told of it at once.
	requestCut
)

// maxWaiting is how many requests a port holds at a time; more are answered as without a hold.
const maxWaiting = 1024

var (
	errNoEndpoint = errors.New("no replica is ready")
	errStopping   = errors.New("the proxy stops")

	errTooManyClients = errors.New("it has as many clients at a time as it may have")
)

// begin forgets the last request and counts a new one.
func (rr *routedRequest) begin(port *servicePort, client netip.AddrPort, idempotent bool) {
	*rr = routedRequest{port: port, routing: port.proxy.routing.Load(), client: client, idempotent: idempotent, tried: rr.tried[:0]}
	if rr.routing.Ledger != nil {
		rr.began = time.Now()
	}
	port.requests.Add(1)
}

// next chooses the endpoint for the next attempt, and waits for one if the Service holds requests.
// One where somebody else listens than its Pod is passed over. The error says why there is none.
// After it comes failed or end.
func (rr *routedRequest) next(ctx context.Context) error {
	var passedOver error
	for {
		if err := rr.chooseOrHold(ctx); err != nil {
			if passedOver != nil {
				return passedOver
			}
			return err
		}
		if passedOver = rr.port.checkListener(ctx, rr.endpoint, rr.attempt.instance); passedOver == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		rr.failed(failureRefused, false)
	}
}

func (rr *routedRequest) chooseOrHold(ctx context.Context) error {
	retry := len(rr.tried) > 0
	t := rr.port.table.Load()
	hold := t.hold
	if rr.routing.AsCluster != nil {
		hold = 0
	}
	if !rr.choose(t, hold > 0) {
		if hold == 0 {
			return errNoEndpoint
		}
		if err := rr.hold(ctx, hold); err != nil {
			return err
		}
	}
	if retry {
		rr.port.retries.Add(1)
	}
	return nil
}

// choose starts an attempt at an endpoint of the table, and reports whether there is one. With
// readyOnly it has to be ready and in rotation.
func (rr *routedRequest) choose(t *routingTable, readyOnly bool) bool {
	want := criteria{roundRobin: rr.port.roundRobin.Add(1), tried: rr.tried, readyOnly: readyOnly}
	var now time.Time
	if t.affinityTimeout > 0 {
		now = time.Now()
		want.sticky = rr.port.sessions.endpointOf(rr.client.Addr(), now, t.affinityTimeout)
	}
	for {
		if rr.routing.AsCluster != nil {
			if !rr.chooseAny(t, want.sticky) {
				return false
			}
			break
		}
		e, refused := t.choose(want)
		if e == nil {
			return false
		}
		if a := e.startAttempt(refused); a != nil {
			rr.endpoint, rr.attempt = e, a
			break
		}
	}
	rr.last = rr.endpoint
	if t.affinityTimeout > 0 {
		rr.port.sessions.remember(rr.client.Addr(), rr.endpoint, now, t.affinityTimeout)
	}
	return true
}

// hold waits until an endpoint is ready that was not tried since the last change, or the time of
// the hold is over.
func (rr *routedRequest) hold(ctx context.Context, hold time.Duration) error {
	port := rr.port
	if port.waiting.Add(1) > maxWaiting {
		port.waiting.Add(-1)
		return fmt.Errorf("%w, and %d requests are waiting already", errNoEndpoint, maxWaiting)
	}
	defer port.waiting.Add(-1)
	if rr.holdUntil.IsZero() {
		rr.holdUntil = time.Now().Add(hold)
	}
	timer := time.NewTimer(time.Until(rr.holdUntil))
	defer timer.Stop()
	for {
		changed := port.changes.next()
		if rr.choose(port.table.Load(), true) {
			return nil
		}
		select {
		case <-changed:
			rr.tried = rr.tried[:0]
		case <-timer.C:
			if rr.choose(port.table.Load(), false) {
				return nil
			}
			return fmt.Errorf("%w after %v", errNoEndpoint, hold)
		case <-port.stopping:
			return errStopping
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// failed ends an attempt that failed before an answer, and reports whether the request may be tried
// again. sent means that something of it was written to the endpoint.
func (rr *routedRequest) failed(failure attemptFailure, sent bool) bool {
	rr.endpoint.failures[failure].Add(1)
	asCluster := rr.routing.AsCluster != nil
	if !asCluster && (failure == failureRefused || failure == failureTimeout) {
		rr.port.eject(rr.endpoint, rr.attempt.instance)
	}
	if sent {
		rr.noteBroken()
	}
	rr.tried = append(rr.tried, rr.endpoint)
	rr.endAttempt()
	return !asCluster && (!sent || rr.idempotent)
}

// noteBroken notes that the current attempt broke after the request was sent. A loss counts once,
// for the endpoint where the request broke last.
func (rr *routedRequest) noteBroken() {
	rr.attempt.instance.requestBroke()
	rr.brokenNotLost()
	rr.brokenInstance, rr.brokenEndpoint = rr.attempt.instance, rr.endpoint
}

// brokenLost decides that the request is lost, if it broke.
func (rr *routedRequest) brokenLost() {
	if rr.brokenInstance == nil {
		return
	}
	rr.brokenEndpoint.lost.Add(1)
	rr.port.lost.Add(1)
	rr.brokenInstance.brokenRequestLost()
	rr.brokenInstance, rr.brokenEndpoint = nil, nil
}

// brokenNotLost decides that the request is not lost, or at least not where it broke last.
func (rr *routedRequest) brokenNotLost() {
	if rr.brokenInstance == nil {
		return
	}
	rr.brokenInstance.brokenRequestNotLost()
	rr.brokenInstance, rr.brokenEndpoint = nil, nil
}

// endAttempt ends the current attempt.
func (rr *routedRequest) endAttempt() {
	rr.endpoint.endAttempt(rr.attempt)
	rr.endpoint, rr.attempt = nil, nil
}

// end counts how the request ended, and ends the current attempt if there is one. A request that
// broke and was not answered by another endpoint is lost, unless its client did not wait for it.
func (rr *routedRequest) end(outcome requestOutcome) {
	switch outcome {
	case requestAborted:
		rr.endpoint.failures[failureAborted].Add(1)
		rr.noteBroken()
	case requestClientGone:
		rr.port.gone.Add(1)
	case requestFailed:
		rr.port.failed.Add(1)
	}
	if outcome == requestFailed || outcome == requestAborted {
		rr.brokenLost()
	} else {
		rr.brokenNotLost()
	}
	if rr.endpoint != nil {
		rr.endAttempt()
	}
	rr.note(outcome)
	rr.last = nil
	clear(rr.tried[:cap(rr.tried)])
	rr.port = nil
}
