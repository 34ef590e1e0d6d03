package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"time"
)

// reverseProxy forwards one request at a time. It is both the user of an [httputil.ReverseProxy]
// and the transport of it, so that RoundTrip has the [routedRequest] at hand without a look-up or
// an allocation.
type reverseProxy struct {
	transports   *transports
	handler      httputil.ReverseProxy
	routed       routedRequest
	requestBody  *requestBody // nil if the request has none
	responseBody responseBody
	upgraded     *upgradedBody // nil if the connection did not change protocols
	outcome      requestOutcome
	came         time.Duration // when, of the port's answerCounts
	status       int           // that the client gets; 0 as long as there is none
	completed    bool          // handler returned, so it did not break the answer off
}

func newReverseProxy(p *Proxy, transports *transports) *reverseProxy {
	rp := &reverseProxy{transports: transports}
	rp.handler = httputil.ReverseProxy{Rewrite: rewrite, Transport: rp, ErrorHandler: rp.handleError, BufferPool: &p.buffers, ErrorLog: p.httpLog}
	return rp
}

// finish counts how the request ended and gives the reverse proxy back.
func (rp *reverseProxy) finish(f *httpForwarder, r *http.Request) {
	gone := r.Context().Err() != nil // or the time to drain is over
	failed := rp.outcome == requestFailed
	switch {
	case rp.upgraded != nil:
		if rp.upgraded.cut.Load() && !gone {
			rp.outcome = requestCut
		}
	case rp.completed && (rp.outcome == requestServed || !gone):
	case rp.responseBody.err != nil && !gone:
		rp.outcome = requestAborted
	default:
		rp.outcome = requestClientGone
	}
	if failed && rp.outcome == requestClientGone {
		rp.status = 0 // nobody got it
	}
	rp.routed.port.answers.answered(rp.status, rp.came)
	rp.routed.end(rp.outcome)
	rp.requestBody, rp.upgraded, rp.responseBody = nil, nil, responseBody{}
	f.proxies.Put(rp)
}

// RoundTrip implements [http.RoundTripper]: it sends a request to one endpoint after the other
// until one answers, as far as that is allowed.
func (rp *reverseProxy) RoundTrip(out *http.Request) (*http.Response, error) {
	var body *replayBody
	if out.Body != nil {
		body = &replayBody{source: out.Body, idempotent: rp.routed.idempotent}
		defer body.stopRecording()
	}
	transport, rr := rp.transportFor(out), &rp.routed
	var last error
	for {
		if err := rr.next(out.Context()); err != nil {
			return nil, &noAnswerError{reason: err, last: last, sent: rr.brokenInstance != nil}
		}
		res, err := rp.send(transport, out, body)
		if err == nil {
			return rp.observe(res), nil
		}
		if out.Context().Err() != nil || rp.requestBody.broken() != nil {
			return nil, err // the client failed, not the endpoint
		}
		last = &attemptError{rr.endpoint.pod.name.Load(), err}
		sent := !isDialError(err) && rr.attempt.sent.Load()
		failure := failureBroken
		if isDialError(err) {
			failure = dialFailure(err)
		}
		if !rr.failed(failure, sent) || !body.rewind() {
			return nil, &noAnswerError{last: last, sent: sent}
		}
		out = cloneForRetry(out)
	}
}

// send sends a request to the current endpoint.
func (rp *reverseProxy) send(transport *http.Transport, out *http.Request, body *replayBody) (*http.Response, error) {
	out.URL.Scheme, out.URL.Host = "http", rp.routed.endpoint.dialAddress()
	attempt := rp.routed.attempt
	if body != nil {
		out.Body = body.newReader(attempt)
	}
	ctx := context.WithValue(out.Context(), attemptContextKey{}, attempt)
	return transport.RoundTrip(out.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: attempt.markSent})))
}

// cloneForRetry copies a request for another attempt: goroutines of the last attempt may still read
// the one that they got.
func cloneForRetry(out *http.Request) *http.Request {
	next := out.WithContext(out.Context())
	next.URL = new(url.URL)
	*next.URL = *out.URL
	return next
}

// observe makes sure that it is known how an answer ends, and lets its trailers through.
func (rp *reverseProxy) observe(res *http.Response) *http.Response {
	rp.status = res.StatusCode
	if both, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
		rp.upgraded = &upgradedBody{ReadWriteCloser: both, instance: rp.routed.attempt.instance}
		if conn, ok := res.Request.Context().Value(clientConnKey{}).(*clientConn); ok {
			conn.tunnel.Store(true)
		}
		res.Body = rp.upgraded
		return res
	}
	// HTTP/2 allows trailers together with a length, HTTP/1.1 only after chunks
	if len(res.Trailer) > 0 {
		res.Header.Del("Content-Length")
		res.ContentLength = -1
	}
	rp.responseBody.ReadCloser = res.Body
	res.Body = &rp.responseBody
	return res
}

// transportFor chooses the protocol to the endpoint: HTTP/2 if the port says so or the request is
// gRPC, else HTTP/1.1, and always HTTP/1.1 for an upgrade, which HTTP/2 does not have.
func (rp *reverseProxy) transportFor(out *http.Request) *http.Transport {
	upgrade := out.Header["Upgrade"] != nil
	if !upgrade && (rp.routed.port.table.Load().protocol == protocolH2C || isGRPC(out)) {
		return rp.transports.h2c
	}
	return rp.transports.http1
}

// handleError answers a request that no endpoint answered.
func (rp *reverseProxy) handleError(w http.ResponseWriter, out *http.Request, err error) {
	rp.outcome = requestFailed
	if broken := rp.requestBody.broken(); broken != nil {
		rp.outcome = requestClientGone
		rp.status = rp.routed.port.rejectBody(w, out, broken)
		return
	}
	why, ok := errors.AsType[*noAnswerError](err)
	switch {
	case rp.routed.port.ctx.Err() != nil:
		why = &noAnswerError{reason: errStopping, sent: true}
	case !ok:
		why = &noAnswerError{reason: err, sent: true}
	}
	if out.ProtoMajor == 1 && out.ContentLength != 0 {
		// after EnableFullDuplex the server closes the connection if nobody read the body, and does
		// not tell the client that it will
		w.Header().Set("Connection", "close")
	}
	rp.status = rp.routed.port.answerFailure(w, out, why)
}
