package proxy

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/h1"
)

// http1Exchange is one request and its answer. It holds the buffer that the request was read into,
// and goes back to a pool with it, so that a connection without a request holds neither.
type http1Exchange struct {
	conn   *http1Conn
	buffer []byte // of the proxy's heads, or a larger one
	n      int    // how much of it was read
	used   int    // how much of that belongs to this request

	request  h1.Request
	body     h1.Body // of the request
	out      []byte  // what an endpoint gets first: the head, and what of the body came with it
	upload   *upload // of the current attempt; nil if the body came with the head
	recorded []byte  // what of the body came later, as long as it may be sent again
	replay   int     // how much of the body was sent
	lost     bool    // it cannot be sent again
	// clientErr is why the client failed, if it did
	clientErr error
	rest      []byte // what came behind the body, if not with the head

	response   h1.Response
	answerBody h1.Body
	routed     routedRequest
	came       time.Duration // when, of the port's answerCounts
	sent       bool          // something was written in the current attempt
	wrote      bool          // all that send has to write was written
	reusable   bool          // the connection to the endpoint can take another request
	outcome    requestOutcome
	status     int // that the client gets; 0 as long as there is none
	next       nextStep
}

// nextStep is what becomes of a connection after a request.
type nextStep int

const (
	// nextRequest: another request may come.
	nextRequest nextStep = iota
	// nextClose: it is to be closed.
	nextClose
	// nextHandedOver: net/http's server has it.
	nextHandedOver
)

// exchanges are those that no connection uses.
type exchanges struct{ pool sync.Pool }

// newExchange begins with what was read of a request.
func newExchange(c *http1Conn, buffer []byte, n int) *http1Exchange {
	x, ok := c.port.proxy.exchanges.pool.Get().(*http1Exchange)
	if !ok {
		x = &http1Exchange{}
	}
	x.conn, x.buffer, x.n = c, buffer, n
	return x
}

// release gives the exchange and its buffer back. Nobody may use what they hold after that.
func (x *http1Exchange) release() {
	p := x.conn.port.proxy
	p.heads.Put(x.buffer)
	x.conn, x.buffer, x.out, x.recorded, x.rest, x.upload = nil, nil, nil, nil, nil, nil
	p.exchanges.pool.Put(x)
}

// hasMore reports whether something came behind the request, and makes that the beginning of the
// next one.
func (x *http1Exchange) hasMore() bool {
	left := copy(x.buffer, x.buffer[x.used:x.n])
	if x.n = left; len(x.rest) > 0 { // the body came later, so nothing was left behind it before
		x.buffer = append(x.buffer[:left], x.rest...)
		x.n, x.rest = len(x.buffer), nil
		x.buffer = x.buffer[:cap(x.buffer)]
	}
	return x.n > 0
}

// serveNext serves the request that the buffer begins with.
func (x *http1Exchange) serveNext(first bool) nextStep {
	head, err := x.readHead(first)
	if refusal, ok := errors.AsType[*h1.Error](err); ok {
		return x.refuse(refusal.Status, malformedText(refusal))
	}
	switch {
	case err != nil:
		return nextClose // the client has gone
	case head == 0 || x.conn.port.table.Load().protocol == protocolH2C:
		x.conn.mark.enter(phaseNone) // net/http has its own limits
		x.conn.port.handOver(x.conn.TCPConn, append([]byte(nil), x.buffer[:x.n]...))
		return nextHandedOver
	}
	if err := x.begin(head); err != nil {
		refusal, _ := errors.AsType[*h1.Error](err)
		return x.refuse(refusal.Status, malformedText(refusal))
	}
	return x.serve()
}

var (
	errHeadTooLarge = &h1.Error{Status: http.StatusRequestHeaderFieldsTooLarge, Reason: "the head of the request is larger than 64 KiB"}
	errHeadTooSlow  = &h1.Error{Status: http.StatusRequestTimeout, Reason: "the head of the request did not come within " + readHeaderTimeout.String()}
	errNotHTTP      = &h1.Error{Status: http.StatusBadRequest, Reason: "this is not HTTP"}
)

// headSlack is how much more than maxHeaderBytes a head may have, as with net/http.
const headSlack = 4 << 10

// readHead reads until the head is whole, and returns its length; 0 if it is the preface of HTTP/2.
func (x *http1Exchange) readHead(first bool) (length int, err error) {
	c := x.conn
	c.mark.enter(phaseHead)
	for seen := 0; ; {
		if empty := h1.LeadingLines(x.buffer[:x.n]); empty > 0 {
			x.n, seen = copy(x.buffer, x.buffer[empty:x.n]), 0
		}
		if x.n > 0 && !h1.MayBegin(x.buffer[0]) {
			return 0, errNotHTTP
		}
		may, whole := isPreface(x.buffer[:x.n])
		if first && may && whole {
			return 0, nil
		}
		end := h1.HeadEnd(x.buffer[:x.n], seen)
		switch {
		case end > maxHeaderBytes+headSlack, end == 0 && x.n > maxHeaderBytes+headSlack:
			return 0, errHeadTooLarge
		case end > 0 && !(first && may):
			return end, nil
		}
		if seen = x.n; x.n == len(x.buffer) {
			x.buffer = append(x.buffer, make([]byte, len(x.buffer))...)
		}
		n, err := c.Read(x.buffer[x.n:])
		if x.n += n; err != nil && n == 0 {
			if isTimeout(err) && c.port.ctx.Err() == nil && x.n > 0 {
				return 0, errHeadTooSlow
			}
			return 0, err
		}
	}
}

// begin reads the head, and what of the body came with it.
func (x *http1Exchange) begin(head int) error {
	if err := x.request.Parse(x.buffer[:head]); err != nil {
		return err
	}
	x.body.Begin(x.request.Framing, x.request.Length, false)
	piece, used, err := x.body.Filter(x.buffer[head:x.n])
	if err != nil {
		return err
	}
	x.used, x.sent, x.outcome, x.status, x.next = head+used, false, requestServed, 0, nextRequest
	x.recorded, x.replay, x.lost, x.clientErr, x.rest, x.upload = nil, len(piece), false, nil, nil, nil
	// behind what was read, where mostly there is room for it
	out := x.request.AppendForward(x.buffer[x.n:x.n], h1.Origin{Client: x.conn.ip, Service: x.conn.port.address()})
	x.out = append(out, piece...)
	return nil
}

// serve has the request answered, and counts how it ended.
func (x *http1Exchange) serve() nextStep {
	sp := x.conn.port
	if !sp.inFlight.add(flagClosed) {
		return x.refuse(http.StatusServiceUnavailable, errStopping.Error())
	}
	defer sp.inFlight.done()
	if x.conn.mark.enter(phaseWaiting) { // the head was whole at the last moment
		x.conn.resume(x.conn.SetReadDeadline)
	}
	x.came = sp.answers.now()
	var client netip.AddrPort
	if sp.wantsClient() {
		client = clientAddress(x.conn.TCPConn)
	}
	x.routed.begin(sp, client, isIdempotentMethod(x.request.Method()) || x.request.Keyed)
	x.forward()
	if x.conn.gone.Load() && x.outcome == requestFailed {
		x.outcome, x.status = requestClientGone, 0 // nobody got it
	}
	sp.answers.answered(x.status, x.came)
	x.routed.end(x.outcome)
	return x.next
}

// isIdempotentMethod reports whether requests with a method may be sent twice, by net/http's rule.
func isIdempotentMethod(method []byte) bool {
	switch string(method) {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// forward sends the request to one endpoint after the other until one answers, as far as that is
// allowed.
func (x *http1Exchange) forward() {
	rr := &x.routed
	var last error
	for {
		if err := x.chooseEndpoint(); err != nil {
			x.fail(&noAnswerError{reason: err, last: last, sent: rr.brokenInstance != nil})
			return
		}
		x.sent = false
		failure, err := x.try()
		if err == nil {
			return
		}
		if x.clientFailed() {
			return
		}
		last = &attemptError{rr.endpoint.pod.name.Load(), err}
		if !rr.failed(failure, x.sent) || x.lost {
			x.fail(&noAnswerError{last: last, sent: x.sent})
			return
		}
	}
}

// chooseEndpoint chooses the next endpoint. While it waits for one, the client may leave.
func (x *http1Exchange) chooseEndpoint() error {
	c := x.conn
	ctx := c.port.ctx
	if c.port.table.Load().hold > 0 {
		held, cancel := context.WithCancel(ctx)
		defer cancel()
		c.holdUntilLeft(cancel)
		defer c.holdUntilLeft(nil)
		ctx = held
	}
	if err := c.use(nil); err != nil {
		return err
	}
	return x.routed.next(ctx)
}

// holdUntilLeft has cancel called if the client leaves.
func (c *http1Conn) holdUntilLeft(cancel context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel = cancel
}

// try sends the request to the current endpoint. If it failed because a kept connection was dead,
// it is sent once more over a new one: if nothing was sent, or it may be sent twice.
func (x *http1Exchange) try() (attemptFailure, error) {
	rr := &x.routed
	pool := &rr.port.proxy.upstreams
	var dead error // of a kept connection
	for {
		var up *upstreamConn
		if dead == nil && rr.routing.AsCluster == nil {
			up = pool.take(rr.endpoint, rr.attempt.instance)
		}
		if up == nil {
			fresh, err := newUpstreamConn(rr.port.ctx, rr.endpoint, rr.attempt.instance, &rr.port.proxy.buffers)
			switch {
			case err != nil && x.sent:
				return failureBroken, dead
			case err != nil:
				return dialFailure(err), err
			}
			up = fresh
		}
		answered, err := x.exchangeOver(up)
		if err == nil {
			return 0, nil
		}
		if !up.kept || answered || x.lost || x.sent && !rr.idempotent || x.clientErr != nil || x.conn.use(nil) != nil {
			return failureBroken, err
		}
		dead = err
	}
}

// exchangeOver sends the request over a connection and passes the answer on. If it returns an
// error, the client has got nothing of an answer; answered means that something of one came.
func (x *http1Exchange) exchangeOver(up *upstreamConn) (answered bool, err error) {
	x.reusable = false
	if err = x.conn.use(up); err == nil {
		err = x.send(up)
	}
	if err == nil {
		answered, err = x.receive(up)
	}
	if err != nil {
		x.stopUpload()
	} else {
		x.endUpload()
	}
	left := x.conn.use(nil)
	if err == nil && left == nil && x.reusable && x.wrote && x.routed.routing.AsCluster == nil {
		x.conn.port.proxy.upstreams.put(up)
	} else {
		_ = up.Close() // nothing more is expected of it
	}
	return answered, err
}

// send sends the head and what is there of the body, and begins to send the rest. The error means
// that nothing was sent in this attempt; if the connection breaks later, the endpoint may have
// answered before.
func (x *http1Exchange) send(up *upstreamConn) error {
	n, err := up.send(x.out, x.body.Ended() && len(x.recorded) == 0, x.routed.attempt)
	x.sent = x.sent || n > 0
	if err == nil && len(x.recorded) > 0 {
		_, err = up.Write(x.recorded)
	}
	x.wrote = err == nil
	if err == nil && !x.body.Ended() {
		x.startUpload(up)
	}
	if n > 0 {
		return nil
	}
	return err
}
