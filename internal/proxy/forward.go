package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync"
)

// forwarder carries the bytes of requests and answers. All that it decides it asks an [exchange]
// for, so that one forwarder can replace another.
type forwarder interface {
	// forward serves one request of a port. It returns when the answer is complete.
	forward(w http.ResponseWriter, r *http.Request, o *port)
	// close lets go of connections that are not in use.
	close()
}

// httpForwarder carries requests by [httputil.ReverseProxy].
type httpForwarder struct {
	proxy      *Proxy
	transports *transports
	carriers   sync.Pool // of *carrier
}

func newHTTPForwarder(p *Proxy) *httpForwarder {
	f := &httpForwarder{proxy: p, transports: newTransports(idleUpstream)}
	f.carriers.New = func() any {
		c := &carrier{transports: f.transports, witness: newWitness()}
		c.proxy = httputil.ReverseProxy{Rewrite: rewrite, Transport: c, ErrorHandler: c.refuse, BufferPool: &p.buffers, ErrorLog: p.httpLog}
		return c
	}
	return f
}

func (f *httpForwarder) close() { f.transports.close() }

func (f *httpForwarder) forward(w http.ResponseWriter, r *http.Request, o *port) {
	c := f.carriers.Get().(*carrier)
	c.outcome, c.complete = outcomeServed, false
	var client netip.Addr
	if o.table.Load().affinityTimeout > 0 {
		if address, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			client = address.Addr().Unmap()
		}
	}
	c.exchange.begin(o, client, isIdempotent(r))
	// also if the reverse proxy panics to break an answer off
	defer c.end(f, r)
	// a stream of HTTP/2 may be silent in one direction for as long as it likes
	if r.ContentLength != 0 && r.ProtoMajor == 1 {
		control := http.NewResponseController(w)
		// Without this the server swallows what is left of a request's body as soon as the answer
		// begins. It is supported by all HTTP/1 servers.
		_ = control.EnableFullDuplex()
		c.request = &requestBody{ReadCloser: r.Body, control: control, timeout: f.proxy.opts.ClientTimeout}
		r.Body = c.request
	}
	c.proxy.ServeHTTP(w, r)
	c.complete = true
}

// carrier carries one request at a time. It is the transport of its own reverse proxy, so that a
// request finds its exchange without a look-up or an allocation.
type carrier struct {
	transports *transports
	proxy      httputil.ReverseProxy
	exchange   exchange
	witness    *witness
	request    *requestBody // nil if there is none
	body       responseBody
	upgraded   *upgradedBody
	outcome    outcome
	complete   bool // the reverse proxy did not break the answer off
}

// end accounts for the request and gives the carrier back.
func (c *carrier) end(f *httpForwarder, r *http.Request) {
	gone := r.Context().Err() != nil // or cut off at the end of the proxy
	switch {
	case c.upgraded != nil:
		if c.upgraded.cut.Load() && !gone {
			c.outcome = outcomeCut
		}
	case c.complete && (c.outcome == outcomeServed || !gone):
	case c.body.err != nil && !gone:
		c.outcome = outcomeAborted
	default:
		c.outcome = outcomeGone
	}
	c.exchange.end(c.outcome)
	c.witness.leave()
	c.request, c.upgraded, c.body = nil, nil, responseBody{}
	f.carriers.Put(c)
}

// RoundTrip implements [http.RoundTripper]: it sends a request to one replica after the other until
// one answers, as far as that is allowed.
func (c *carrier) RoundTrip(out *http.Request) (*http.Response, error) {
	var body *replay
	if out.Body != nil {
		body = &replay{source: out.Body}
		defer body.stopRecording()
	}
	transport, x := c.transportFor(out), &c.exchange
	var last error
	for {
		if err := x.next(out.Context()); err != nil {
			return nil, &unroutable{reason: err, last: last, sent: x.brokenInstance != nil}
		}
		res, err := c.try(transport, out, body)
		if err == nil {
			return c.watch(res), nil
		}
		if out.Context().Err() != nil || c.request.broken() != nil {
			return nil, err // the replica is not to blame
		}
		last = &attemptError{x.endpoint.pod.name.Load(), err}
		sent := !isDial(err) && !isUnsent(err)
		failure := failureBroken
		if isDial(err) {
			failure = dialFailure(err)
		}
		if !x.failed(failure, sent) || !body.rewind() {
			return nil, &unroutable{last: last, sent: sent}
		}
		out = again(out)
	}
}

// try sends a request to the current replica. What met a kept connection that was dead gets a fresh
// one.
func (c *carrier) try(transport *http.Transport, out *http.Request, body *replay) (*http.Response, error) {
	out.URL.Scheme, out.URL.Host = "http", c.exchange.endpoint.address
	if body != nil {
		out.Body = body.view()
	}
	attempt := c.exchange.attempt
	ctx := context.WithValue(out.Context(), attemptKey{}, attempt)
	if transport == c.transports.h2c {
		return transport.RoundTrip(out.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: attempt.markSent})))
	}
	w := c.witness
	res, err := transport.RoundTrip(out.WithContext(w.begin(ctx, attempt, !c.exchange.idempotent)))
	if err == nil || isDial(err) || !w.unsent() || out.Context().Err() != nil {
		return res, err
	}
	if transport == c.transports.fresh || !body.rewind() {
		return nil, &unsentError{err}
	}
	return c.try(c.transports.fresh, again(out), body)
}

// again makes a request for another attempt: the goroutines of the last one may still read theirs.
func again(out *http.Request) *http.Request {
	next := out.WithContext(out.Context())
	next.URL = new(url.URL)
	*next.URL = *out.URL
	return next
}

// watch sees how an answer ends, and lets its trailers through.
func (c *carrier) watch(res *http.Response) *http.Response {
	if both, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
		c.upgraded = &upgradedBody{ReadWriteCloser: both}
		res.Body = c.upgraded
		return res
	}
	// HTTP/2 has trailers beside a length, HTTP/1.1 has them after chunks only
	if len(res.Trailer) > 0 {
		res.Header.Del("Content-Length")
		res.ContentLength = -1
	}
	c.body.ReadCloser = res.Body
	res.Body = &c.body
	return res
}

// transportFor chooses how the replica is spoken to: HTTP/2 if the port says so or the request is
// gRPC, but for upgrades, which HTTP/2 has not.
func (c *carrier) transportFor(out *http.Request) *http.Transport {
	upgrade := out.Header["Upgrade"] != nil
	if !upgrade && (c.exchange.port.table.Load().protocol == protocolH2C || isGRPC(out)) {
		return c.transports.h2c
	}
	return c.transports.http
}

// refuse answers a request that no replica answered.
func (c *carrier) refuse(w http.ResponseWriter, out *http.Request, err error) {
	c.outcome = outcomeFailed
	if broken := c.request.broken(); broken != nil {
		c.outcome = outcomeGone
		c.exchange.port.reject(w, broken)
		return
	}
	u, ok := errors.AsType[*unroutable](err)
	switch {
	case c.exchange.port.cutting.Err() != nil:
		u = &unroutable{reason: errStopping, sent: true}
	case !ok:
		u = &unroutable{reason: err, sent: true}
	}
	if out.ProtoMajor == 1 && out.ContentLength != 0 {
		// after EnableFullDuplex the server hangs up if nobody read the body, and does not say so
		w.Header().Set("Connection", "close")
	}
	c.exchange.port.answer(w, out, u)
}

// rewrite completes the request to a replica. The package comment says what becomes of forwarding
// headers.
func rewrite(r *httputil.ProxyRequest) {
	in, out := r.In, r.Out
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values := in.Header[name]; values != nil {
			out.Header[name] = values
		}
	}
	host, proto := out.Header["X-Forwarded-Host"], out.Header["X-Forwarded-Proto"]
	r.SetXForwarded()
	if host != nil {
		out.Header["X-Forwarded-Host"] = host
	}
	if proto != nil {
		out.Header["X-Forwarded-Proto"] = proto
	}
	// nothing here reads it, so there is nothing to disagree about
	out.URL.RawQuery = in.URL.RawQuery
	out.Trailer = in.Trailer // filled in when the body has been read
}

// isIdempotent is net/http's own rule of what may be sent twice, but for the body.
func isIdempotent(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return r.Header["Idempotency-Key"] != nil || r.Header["X-Idempotency-Key"] != nil
}

func isGRPC(r *http.Request) bool {
	return r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}
