package probe

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// request builds the one request of an attempt. An error is a prober error (R47).
func (h HTTPGet) request(ctx context.Context, userAgent string) (*http.Request, error) {
	if err := checkPort(h.Port); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url().String(), nil)
	if err != nil {
		return nil, fmt.Errorf("cannot construct the request: %w", err)
	}
	req.Header = h.header(cmp.Or(h.UserAgent, userAgent))
	if host := req.Header.Get("Host"); host != "" {
		// the wire's Host only; target and TLS server name stay those of the URL (R56)
		req.Host = host
	}
	return req, nil
}

// url puts the path behind the configured scheme, host and port (R57). The path is a URL reference:
// it may bring a query or a fragment, but no target of its own. Text that is no reference is taken
// literally.
func (h HTTPGet) url() *url.URL {
	path := cmp.Or(h.Path, "/")
	target, err := url.Parse(path)
	if err != nil {
		target = &url.URL{Path: path}
	}
	target.Scheme = cmp.Or(strings.ToLower(h.Scheme), "http")
	target.Host = address(h.Host, h.Port)
	return target
}

// header returns the request's header lines with the defaults filled in (R53–R55).
func (h HTTPGet) header(userAgent string) http.Header {
	header := make(http.Header, len(h.Headers)+2)
	for _, line := range h.Headers {
		header.Add(line.Name, line.Value)
	}
	if _, set := header["User-Agent"]; !set {
		header.Set("User-Agent", userAgent) // net/http leaves out one that is set and empty
	}
	if _, set := header["Accept"]; !set {
		header.Set("Accept", "*/*")
	} else if header.Get("Accept") == "" {
		header.Del("Accept")
	}
	return header
}
