package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Client speaks to one API server. It is safe for concurrent use.
type Client struct {
	http     *http.Client
	upgrades *http.Client // speaks HTTP/1.1, which alone can be upgraded
	url      string
	shown    string       // url, as people may read it
	skew     atomic.Int64 // by which the clock of the server is ahead, in nanoseconds
}

// New makes a client of the server at a URL without a path. The HTTP client knows whom to trust and
// shows who it is; for exec and port-forward it has to speak HTTP/1.1.
func New(client *http.Client, url string) *Client {
	staying := *client
	staying.CheckRedirect = stay
	return &Client{http: &staying, upgrades: &staying, url: url, shown: redacted(url)}
}

// Now is the time by the clock of the server, as far as its answers tell.
func (c *Client) Now() time.Time { return time.Now().Add(time.Duration(c.skew.Load())) }

// minSkew is what clocks may differ by: the header has whole seconds, and an answer takes its time.
const minSkew = 3 * time.Second

// noteDate takes the time that an answer tells.
func (c *Client) noteDate(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	skew := time.Until(date)
	if skew.Abs() < minSkew {
		skew = 0
	}
	c.skew.Store(int64(skew))
}

// Close gives back connections that nobody uses.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.upgrades.CloseIdleConnections()
}

// maxError is how many bytes of an answer that is no Status are read for people.
const maxError = 1 << 10

// send makes a request and returns its answer, whose body the caller closes. The error is the
// Status of a server that refused it.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, contentType string, body []byte) (*http.Response, error) {
	header := http.Header{"Accept": {"application/json"}}
	if body != nil {
		header.Set("Content-Type", contentType)
	}
	return c.request(ctx, method, path, query, header, body)
}

const (
	// busyTries is how often a request is made to a server that has no time for it.
	busyTries = 5
	// maxBusyPause bounds how long such a server can have a client wait between two of them.
	maxBusyPause = 10 * time.Second
)

// request is send with headers as they are given. A server that says when it will have time is
// asked again then, some times: it has done nothing yet. One that takes the credentials no longer
// is asked once more, because that has plugins fetch new ones.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, header http.Header, body []byte) (*http.Response, error) {
	address := c.url + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	unknown := false
	for try := 1; ; try++ {
		r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header = header.Clone()
		response, err := c.http.Do(r)
		if err != nil {
			return nil, c.unheard(ctx, err)
		}
		c.noteDate(response.Header)
		pause, busy := busyPause(response)
		response, err = c.accepted(response)
		if apierrors.IsUnauthorized(err) && !unknown {
			unknown = true
			continue
		}
		if !busy || try == busyTries {
			return response, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

// busyPause is when a server that has no time says to come again; ok reports whether it does.
func busyPause(response *http.Response) (pause time.Duration, ok bool) {
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if response.StatusCode != http.StatusTooManyRequests || err != nil || seconds < 0 {
		return 0, false
	}
	return time.Duration(min(seconds, int(maxBusyPause/time.Second))) * time.Second, true
}

// accepted is an answer that is one; otherwise why it is none.
func (c *Client) accepted(response *http.Response) (*http.Response, error) {
	if response.StatusCode < http.StatusOK || response.StatusCode >= http.StatusMultipleChoices {
		return nil, c.stranger(refusal(response))
	}
	return response, nil
}

// refusal is the error of an answer that is none, which it closes. What says no Status, such as a
// path that nobody serves, gets one.
func refusal(response *http.Response) error {
	defer response.Body.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	var status metav1.Status
	if bytes.HasPrefix(text, protobufPrefix) && decodeProtobuf(text, &status) == nil {
		return apierrors.FromObject(&status) // in the encoding that was asked for
	}
	if err == nil && json.Unmarshal(text, &status) == nil && status.Kind == "Status" && status.Message != "" {
		return apierrors.FromObject(&status)
	}
	message := fmt.Sprintf("the server answers %s: %s", response.Status, oneLine(string(text[:min(len(text), maxError)])))
	if elsewhere := response.Header.Get("Location"); elsewhere != "" {
		message = fmt.Sprintf("the server answers %s, and sends to %s, which is not asked", response.Status, oneLine(elsewhere))
	}
	reasons := map[int]metav1.StatusReason{
		http.StatusNotFound: metav1.StatusReasonNotFound, http.StatusUnauthorized: metav1.StatusReasonUnauthorized, http.StatusForbidden: metav1.StatusReasonForbidden,
	}
	status = metav1.Status{Status: metav1.StatusFailure, Code: int32(response.StatusCode), Reason: reasons[response.StatusCode], Message: message}
	return apierrors.FromObject(&status)
}

// do makes a request and decodes its answer, unless into is nil.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, contentType string, body []byte, into any) error {
	response, err := c.send(ctx, method, path, query, contentType, body)
	if err != nil {
		return err
	}
	return readAnswer(response, into)
}

// exchange is do with headers as they are given.
func (c *Client) exchange(ctx context.Context, method, path string, query url.Values, header http.Header, body []byte, into any) error {
	response, err := c.request(ctx, method, path, query, header, body)
	if err != nil {
		return err
	}
	return readAnswer(response, into)
}

// readAnswer decodes and closes an answer; into nil it is only read to its end.
func readAnswer(response *http.Response, into any) error {
	defer response.Body.Close() // it was only read
	return decode(response.Body, maxPage, into)
}

// decode reads an answer of so many bytes at most.
func decode(from io.Reader, most int64, into any) error {
	body := &bounded{from, most}
	if into != nil {
		if err := json.NewDecoder(body).Decode(into); err != nil {
			return fmt.Errorf("cannot read what the server answers: %w", err)
		}
	}
	_, err := io.Copy(io.Discard, body) // so that the connection can be used again
	if errors.Is(err, errTooLong) {
		return nil // then it cannot be
	}
	return err
}

// List reads all objects of a kind into a list of it; of a namespace, or of all if that is empty.
func (c *Client) List(ctx context.Context, kind Kind, namespace string, options metav1.ListOptions, into any) error {
	return denied("list", kind, namespace, c.do(ctx, http.MethodGet, kind.path(namespace), listQuery(options), "", nil, into))
}

// listQuery is what of the options a list or a watch here asks for.
func listQuery(options metav1.ListOptions) url.Values {
	query := url.Values{}
	for name, value := range map[string]string{
		"labelSelector": options.LabelSelector, "fieldSelector": options.FieldSelector, "resourceVersion": options.ResourceVersion,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// Patch changes an object, or with a subresource a part of it, and reads what it became.
func (c *Client) Patch(ctx context.Context, at Ref, subresource string, kind types.PatchType, patch []byte, into any) error {
	path := at.path()
	if subresource != "" {
		path += "/" + subresource
	}
	query := url.Values{"fieldManager": {fieldManager}}
	return c.do(ctx, http.MethodPatch, path, query, string(kind), patch, into)
}

// fieldManager is who changes fields by a command of Probity, in the words of managed fields.
const fieldManager = "probity-cli"

// Delete begins the deletion of an object.
func (c *Client) Delete(ctx context.Context, at Ref, options metav1.DeleteOptions) error {
	body, err := json.Marshal(options)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodDelete, at.path(), nil, "application/json", body, nil)
}

// Upgrade asks for another protocol than HTTP with a subresource of an object, as the header says,
// and returns the connection that speaks it, and what the server has answered. The caller closes
// the connection, which the context does not.
func (c *Client) Upgrade(ctx context.Context, method string, at Ref, subresource string, query url.Values, header http.Header) (io.ReadWriteCloser, http.Header, error) {
	address := c.url + at.path() + "/" + subresource
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, nil, err
	}
	header.Set("Connection", "Upgrade")
	r.Header = header
	response, err := c.upgrades.Do(r)
	if err != nil {
		return nil, nil, c.unheard(ctx, err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, nil, c.stranger(refusal(response))
	}
	conn, ok := response.Body.(io.ReadWriteCloser)
	if !ok {
		return nil, nil, errors.Join(errors.New("the server upgrades the connection, which is none of HTTP/1.1"), response.Body.Close())
	}
	return conn, response.Header, nil
}
