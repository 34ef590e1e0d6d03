//go:build kubectl && cluster

package kubectl

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// desk is where requests to the API server pass that it has a say in.
type desk func(w http.ResponseWriter, r *http.Request, next http.Handler)

// desk opens one, until the test ends, and returns a kubeconfig that goes by it.
func (h hardship) desk(t *testing.T, d desk) (kubeconfig string) {
	t.Helper()
	target := must(url.Parse(h.cluster.url))(t)
	// the certificate is the server's own
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	// what clients meet, the tests see
	quiet := log.New(io.Discard, "", 0)
	next := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport, FlushInterval: -1, ErrorLog: quiet}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// whole, so that it can be sent again: the server closes connections on which it was
		// shown a bad token, and a client's own transport sends again then
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // its client is gone
		}
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
		d(w, r, next)
	}))
	server.EnableHTTP2, server.Config.ErrorLog = true, quiet
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return h.over(t, server.URL)
}

// isWrite reports whether a request changes something of what probity deploy is given.
func isWrite(r *http.Request) bool {
	return r.URL.Query().Get("dryRun") == "" && (r.Method == http.MethodPatch || r.Method == http.MethodDelete)
}

// atWrite is a desk that does something in place of the n-th write, and lets all others pass.
func atWrite(n int, do desk) desk {
	var writes atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if isWrite(r) && writes.Add(1) == int64(n) {
			do(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}
