package probe

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/probity-run/probity/probe/internal/verdict"
)

// HTTPGet is the httpGet handler (R51–R75): one GET, and the status code decides. 200–299 is a
// success, 300–399 a warning, everything else a failure.
//
// Redirects are followed, up to nine, as long as the host name stays the same; port and scheme may
// change. A redirect to another host name is not followed and is a warning. Certificates are not
// verified.
type HTTPGet struct {
	// Scheme is "http" or "https" in any case. Default http.
	Scheme string
	// Host is a name or address to connect to; names are resolved on this machine. Default
	// [DefaultHost]. For a virtual host add a header named Host instead.
	Host string
	// Port is 1 to 65535; anything else is a prober error.
	Port int
	// Path may carry a query; it need not begin with a slash. Default "/".
	Path string
	// Headers are sent in addition to the default ones. User-Agent and Accept replace the default,
	// and remove it if the value is empty (R54).
	Headers []Header
	// UserAgent is the default User-Agent. Default [DefaultUserAgent].
	UserAgent string
	// Timeout covers name resolution, connecting, TLS, redirects, headers and body together (R58).
	// Default [DefaultTimeout].
	Timeout time.Duration
	// Client holds what attempts can share. Default: one made for this attempt alone, which is
	// correct but costs more; whoever probes often should share one.
	Client *HTTPClient
}

// Header is one line of a request's header. Names may repeat.
type Header struct {
	Name, Value string
}

// Probe sends the request once. The output of a success is the first 10 KiB of the body. A body
// that cannot be read that far is a prober error whatever the status (R61); an answer that ends
// before the headers are complete is a failure (R64).
func (h HTTPGet) Probe(ctx context.Context) Result {
	req, err := h.request(ctx, DefaultUserAgent)
	if err != nil {
		return unevaluable(err)
	}
	client, release := h.client()
	defer release()
	seen := observe()
	return seen.complete(client.attempt(ctx, req, timeoutOr(h.Timeout), seen))
}

// attempt sends the request of an attempt and judges the answer.
func (c *HTTPClient) attempt(ctx context.Context, req *http.Request, timeout time.Duration, seen *observer) Result {
	res, err := c.do(req, timeout, seen)
	if err != nil {
		if result, ok := excused(ctx, err); ok {
			return result
		}
		result := failure(err.Error())
		result.Detail.TimedOut = isTimeout(err)
		return result
	}
	defer res.Body.Close()
	body, err := readBody(res)
	if err != nil {
		if result, ok := excused(ctx, err); ok {
			return result
		}
		return Result{Outcome: Failure, Err: err, Detail: Detail{Status: res.StatusCode, TimedOut: isTimeout(err)}}
	}
	result := resultOf(verdict.HTTP(res.StatusCode, body))
	result.Detail = Detail{Status: res.StatusCode, Body: verdict.Beginning(body), BodySize: len(body)}
	return result
}

// client returns the shared client or a private one, and what to call when the attempt is over.
func (h HTTPGet) client() (client *HTTPClient, release func()) {
	if h.Client != nil {
		return h.Client, func() {}
	}
	private := new(HTTPClient)
	return private, private.Close
}

// readBody returns the first 10 KiB of the body. The rest is never read.
func readBody(res *http.Response) (string, error) {
	if res.StatusCode == http.StatusSwitchingProtocols {
		// What follows is another protocol on a connection that no time-out closes any more.
		return "", nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, outputLimit))
	return string(body), err
}
