package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// exchange is the routing of one request or TCP connection: which replica it goes to, whether and
// where it is tried again, and how it is accounted for. It knows nothing of the bytes; a forwarder
// carries those:
//
//	x.begin(port, client, idempotent)
//	for {
//		err := x.next(ctx)             // x.replica is it
//		…                              // connect, send, receive
//		if ok || !x.failed(kind, sent) { break }
//	}
//	x.end(outcome)
//
// It belongs to one goroutine and can be used again after end.
type exchange struct {
	port       *port
	client     netip.Addr // only with affinity
	idempotent bool

	endpoint       *endpoint // of the current attempt; nil between two
	attempt        *upstreamAttempt
	brokenInstance *instance // where it broke last after it was sent; not decided yet
	brokenEndpoint *endpoint
	tried          []*endpoint
	until          time.Time // the end of the hold; zero as long as nothing was held
}

// outcome is how an exchange ended.
type outcome int

const (
	// outcomeServed: the client got what the replica answered.
	outcomeServed outcome = iota
	// outcomeGone: the client went away.
	outcomeGone
	// outcomeFailed: every attempt failed, the client was told.
	outcomeFailed
	// outcomeAborted: the answer broke off.
	outcomeAborted
	// outcomeCut: the replica ended an upgraded or a TCP connection.
	outcomeCut
)

// maxWaiting is how many requests a port holds at a time; more are answered as without a hold.
const maxWaiting = 1024

var (
	errNoEndpoint = errors.New("no replica is ready")
	errStopping   = errors.New("the proxy stops")
)

func (x *exchange) begin(p *port, client netip.Addr, idempotent bool) {
	*x = exchange{port: p, client: client, idempotent: idempotent, tried: x.tried[:0]}
	p.requests.Add(1)
}

// next chooses the replica for the next attempt, and waits for one if the Service holds requests.
// The error says why there is none.
func (x *exchange) next(ctx context.Context) error {
	again := len(x.tried) > 0
	t := x.port.table.Load()
	if !x.take(t, t.hold > 0) {
		if t.hold == 0 {
			return errNoEndpoint
		}
		if err := x.wait(ctx, t.hold); err != nil {
			return err
		}
	}
	if again {
		x.port.retries.Add(1)
	}
	return nil
}

// take enters a replica that the table offers.
func (x *exchange) take(t *routingTable, patient bool) bool {
	want := criteria{roundRobin: x.port.roundRobin.Add(1), tried: x.tried, readyOnly: patient}
	var now time.Time
	if t.affinityTimeout > 0 {
		now = time.Now()
		want.sticky = x.port.sessions.endpointOf(x.client, now, t.affinityTimeout)
	}
	for {
		e, refused := t.choose(want)
		if e == nil {
			return false
		}
		if a := e.startAttempt(refused); a != nil {
			x.endpoint, x.attempt = e, a
			break
		}
	}
	if t.affinityTimeout > 0 {
		x.port.sessions.remember(x.client, x.endpoint, now, t.affinityTimeout)
	}
	return true
}

// wait holds the exchange until a replica is ready that was not tried since the last change, or the
// time is over.
func (x *exchange) wait(ctx context.Context, hold time.Duration) error {
	p := x.port
	if p.waiting.Add(1) > maxWaiting {
		p.waiting.Add(-1)
		return fmt.Errorf("%w, and %d requests are waiting already", errNoEndpoint, maxWaiting)
	}
	defer p.waiting.Add(-1)
	if x.until.IsZero() {
		x.until = time.Now().Add(hold)
	}
	timer := time.NewTimer(time.Until(x.until))
	defer timer.Stop()
	for {
		changed := p.changes.next()
		if x.take(p.table.Load(), true) {
			return nil
		}
		select {
		case <-changed:
			x.tried = x.tried[:0]
		case <-timer.C:
			if x.take(p.table.Load(), false) {
				return nil
			}
			return fmt.Errorf("%w after %v", errNoEndpoint, hold)
		case <-p.stopping:
			return errStopping
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// failed ends an attempt that failed before an answer, sent or not, and says whether another one is
// allowed.
func (x *exchange) failed(failure attemptFailure, sent bool) bool {
	x.endpoint.failures[failure].Add(1)
	if failure == failureRefused || failure == failureTimeout {
		x.port.eject(x.endpoint, x.attempt.instance)
	}
	if sent {
		x.noteBroken()
	}
	x.tried = append(x.tried, x.endpoint)
	x.leave()
	return !sent || x.idempotent
}

// noteBroken notes that the current attempt broke after the request was sent. A loss counts once,
// for the endpoint where the request broke last.
func (x *exchange) noteBroken() {
	x.attempt.instance.requestBroke()
	x.brokenNotLost()
	x.brokenInstance, x.brokenEndpoint = x.attempt.instance, x.endpoint
}

// brokenLost decides that the request which broke is lost, if one broke.
func (x *exchange) brokenLost() {
	if x.brokenInstance == nil {
		return
	}
	x.brokenEndpoint.lost.Add(1)
	x.brokenInstance.brokenRequestLost()
	x.brokenInstance, x.brokenEndpoint = nil, nil
}

// brokenNotLost decides that the request which broke is not lost, or not there.
func (x *exchange) brokenNotLost() {
	if x.brokenInstance == nil {
		return
	}
	x.brokenInstance.brokenRequestNotLost()
	x.brokenInstance, x.brokenEndpoint = nil, nil
}

func (x *exchange) leave() {
	x.endpoint.endAttempt(x.attempt)
	x.endpoint, x.attempt = nil, nil
}

// end accounts for the exchange. What broke and was not answered by another replica is lost, unless
// the client did not wait for it.
func (x *exchange) end(o outcome) {
	switch {
	case o == outcomeAborted:
		x.endpoint.failures[failureAborted].Add(1)
		x.noteBroken()
	case o == outcomeCut:
		x.attempt.instance.connectionCut()
	case o == outcomeGone:
		x.port.gone.Add(1)
	case o == outcomeFailed:
		x.port.failed.Add(1)
	}
	if o == outcomeFailed || o == outcomeAborted {
		x.brokenLost()
	} else {
		x.brokenNotLost()
	}
	if x.endpoint != nil {
		x.leave()
	}
	clear(x.tried[:cap(x.tried)])
	x.port = nil
}

// signal wakes all who wait for a change. The zero value is ready.
type signal struct {
	mu sync.Mutex // guards ch
	ch chan struct{}
}

// next returns a channel that is closed by the next fire.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
