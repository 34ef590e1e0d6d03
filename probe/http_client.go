package probe

import (
	"crypto/tls"
	"errors"
	"net/http"
	"sync"
	"time"
)

const (
	// caps the handshake even if the attempt has more time (R58)
	tlsHandshakeTimeout = 10 * time.Second
	maxResponseHeader   = 10 << 20 // bytes (R75)
	// the answer that asks for one more fails the attempt (R69)
	maxRedirects = 9
)

// HTTPClient is what HTTP attempts and hooks can share. The zero value is ready to use; it is safe
// for concurrent use and must not be copied. It keeps no connection: every attempt opens one and
// closes it (R59).
type HTTPClient struct {
	// Dial opens the connections, the ones of followed redirects too. Default: a plain TCP
	// connection. Set it before the first use.
	Dial DialFunc

	build     sync.Once
	transport *http.Transport
}

// Close frees what the client holds when no attempt uses it. The client remains usable.
func (c *HTTPClient) Close() {
	c.shared().CloseIdleConnections()
}

// do sends the request and follows redirects; seen sees how. A timeout of 0 means none; it covers
// reading the body too.
func (c *HTTPClient) do(req *http.Request, timeout time.Duration, seen *observer) (*http.Response, error) {
	client := http.Client{Transport: c.shared(), CheckRedirect: checkRedirect, Timeout: timeout}
	req, dials := withDials(req, seen)
	res, err := client.Do(req)
	if err != nil {
		dials.giveUp()
	}
	return res, err
}

// shared returns the transport, configured like the kubelet's (R58–R60, R73): no proxy, no kept
// connections, no compression, no certificate check, HTTP/2 where a TLS server offers it.
func (c *HTTPClient) shared() *http.Transport {
	c.build.Do(func() {
		c.transport = &http.Transport{
			DialContext:            c.Dial.orDefault().tracked(),
			TLSClientConfig:        &tls.Config{InsecureSkipVerify: true},
			TLSHandshakeTimeout:    tlsHandshakeTimeout,
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxResponseHeader,
		}
	})
	return c.transport
}

// checkRedirect follows redirects within the host name of the first request (R66–R69). Names are
// compared as written. The host is checked first, so a redirect that leaves the host ends with the
// 3xx itself even at the limit.
func checkRedirect(next *http.Request, sent []*http.Request) error {
	if next.URL.Hostname() != sent[0].URL.Hostname() {
		return http.ErrUseLastResponse
	}
	if len(sent) > maxRedirects {
		return errors.New("stopped after 10 redirects")
	}
	return nil
}
