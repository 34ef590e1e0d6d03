package proxy

import (
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"
	"sync"
)

// httpForwarder forwards the requests that net/http's server has read, those of HTTP/2 and of ports
// that speak it, by [httputil.ReverseProxy], of which it keeps a pool. What has to be decided about
// a request, a [routedRequest] decides.
type httpForwarder struct {
	proxy      *Proxy
	transports *transports
	proxies    sync.Pool // of *reverseProxy
}

func newHTTPForwarder(p *Proxy) *httpForwarder {
	transports := newTransports()
	return &httpForwarder{proxy: p, transports: transports, proxies: sync.Pool{New: func() any { return newReverseProxy(p, transports) }}}
}

// close closes the connections to endpoints that are not in use.
func (f *httpForwarder) close() { f.transports.close() }

// forward serves one request of a port. It returns when the answer is complete.
func (f *httpForwarder) forward(w http.ResponseWriter, r *http.Request, sp *servicePort) {
	rp := f.proxies.Get().(*reverseProxy)
	rp.outcome, rp.completed, rp.status, rp.came = requestServed, false, 0, sp.answers.now()
	var client netip.AddrPort
	if sp.wantsClient() {
		if address, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			client = netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
		}
	}
	rp.routed.begin(sp, client, isIdempotent(r))
	// also if httputil panics, which is how it breaks an answer off
	defer rp.finish(f, r)
	switch {
	case r.ContentLength == 0:
	case r.ProtoMajor == 2: // a stream may be silent in one direction for as long as it likes
		rp.requestBody = &requestBody{ReadCloser: r.Body}
		r.Body = rp.requestBody
	default:
		control := http.NewResponseController(w)
		// Without this the server reads and drops what is left of a request's body as soon as the
		// answer begins. Every HTTP/1 server of net/http can do it.
		_ = control.EnableFullDuplex()
		rp.requestBody = &requestBody{ReadCloser: r.Body, control: control, timeout: f.proxy.opts.ClientTimeout}
		r.Body = rp.requestBody
	}
	rp.handler.ServeHTTP(w, r)
	rp.completed = true
}

// rewrite completes the request to an endpoint. The package comment says what becomes of the
// forwarding headers.
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
	// unchanged, although httputil would clean it: nothing here reads it, so the proxy and the
	// endpoint cannot read it differently
	out.URL.RawQuery = in.URL.RawQuery
	out.Trailer = in.Trailer // filled in when the body has been read
}

// isIdempotent reports whether a request may be sent twice, by net/http's own rule, but whatever
// its body is.
func isIdempotent(r *http.Request) bool {
	if isIdempotentMethod([]byte(r.Method)) {
		return true
	}
	return r.Header["Idempotency-Key"] != nil || r.Header["X-Idempotency-Key"] != nil
}

func isGRPC(r *http.Request) bool {
	return r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}
