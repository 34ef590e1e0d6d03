package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// LifecycleHTTP performs an HTTP lifecycle hook, postStart or preStop (R143). Any response is a
// success, 500 included; err is not nil only if there was none. The hook is over when the
// response's body has ended or 10 KiB of it were read, so a handler can keep the hook waiting by
// holding the body open.
//
// get is used like in a probe with two differences: the default UserAgent is [LifecycleUserAgent],
// and Timeout is ignored, because only ctx limits a hook. A hook that is cut off by ctx after the
// headers is a success as well.
//
// If an https hook is answered in plain HTTP it is repeated over http, without an Authorization
// header, which was meant for an encrypted connection. fallback tells that this happened and
// succeeded; the kubelet reports it as an event LifecycleHTTPFallback.
func LifecycleHTTP(ctx context.Context, get HTTPGet) (fallback bool, err error) {
	req, err := get.request(ctx, LifecycleUserAgent)
	if err != nil {
		return false, err
	}
	client, release := get.client()
	defer release()
	err = client.deliver(req)
	if req.URL.Scheme != "https" || !errors.Is(err, http.ErrSchemeMismatch) {
		return false, err
	}
	plain := req.Clone(ctx)
	plain.URL.Scheme = "http"
	plain.URL.User = nil
	plain.Header.Del("Authorization")
	if plainErr := client.deliver(plain); plainErr != nil {
		return false, fmt.Errorf("%w; again without TLS: %w", err, plainErr)
	}
	return true, nil
}

// deliver sends a request whose answer does not matter, and waits for the answer's end.
func (c *HTTPClient) deliver(req *http.Request) error {
	res, err := c.do(req, 0, observe())
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = readBody(res) // the headers were the response; how the body ends does not matter
	return nil
}
