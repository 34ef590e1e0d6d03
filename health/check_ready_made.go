package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// HTTPCheck returns a check that sends a GET request to a URL and passes if the status is 200 to
// 399, as for the kubelet. It follows no redirect, and makes a new connection each time, so that it
// notices a changed address. For a service behind a client of your own, with its authentication and
// its pool, write a function that uses it.
func HTTPCheck(address string) func(context.Context) error {
	target, err := url.Parse(address)
	if err == nil && (target.Scheme != "http" && target.Scheme != "https" || target.Host == "") {
		err = errors.New("it has to be like http://billing/readyz")
	}
	if err != nil {
		return refused("its URL", withoutURL(err)) // which may have a password
	}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		request.Header.Set("User-Agent", "health-check")
		client := http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		response, err := client.Do(request)
		if err != nil {
			return withoutQuery(target, err)
		}
		response.Body.Close() // its error says nothing that the status has not said
		if response.StatusCode < 200 || response.StatusCode > 399 {
			return withoutQuery(target, fmt.Errorf("the answer is %s", response.Status))
		}
		return nil
	}
}

// withoutQuery names a URL in an error without what may be secret in it.
func withoutQuery(target *url.URL, err error) error {
	return fmt.Errorf("GET %s://%s%s: %w", target.Scheme, target.Host, target.EscapedPath(), withoutURL(err))
}

// withoutURL takes out of an error the whole URL that those of package url and http have.
func withoutURL(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// TCPCheck returns a check that passes if a connection to an address, such as "queue:5672", can be
// opened. That shows that something listens, no more: a proxy in between does so for a dead server.
func TCPCheck(address string) func(context.Context) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return refused(fmt.Sprintf("its address %q", address), fmt.Errorf("it has to be like queue:5672: %w", err))
	}
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// DNSCheck returns a check that passes if a host name has an address.
func DNSCheck(host string) func(context.Context) error {
	if host == "" {
		return refused("its host", errors.New("it is empty"))
	}
	return func(ctx context.Context) error {
		_, err := net.DefaultResolver.LookupHost(ctx, host) // an error if there is none
		return err
	}
}

// refused returns a check that always fails, since what it was made of cannot be right.
func refused(what string, err error) func(context.Context) error {
	err = fmt.Errorf("cannot check: %s: %w", what, err)
	return func(context.Context) error { return err }
}
