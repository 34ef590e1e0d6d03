package generator

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client sends one request after the other. It belongs to one goroutine.
type client struct {
	opts    *Options
	number  int
	address string
	host    string
	path    string
	buffer  []byte
	conn    net.Conn // nil: the next request makes a new one
	reader  *bufio.Reader
	report  Report
}

// pause is how long a client waits after a failure. Without it, requests to a server that is gone
// would follow each other as fast as they can fail.
const pause = 10 * time.Millisecond

// excerpt is how much of an answer that is no success is kept.
const excerpt = 300

func newClient(opts *Options, target *url.URL, number int) *client {
	c := &client{opts: opts, number: number, address: target.Host, host: target.Host, path: target.RequestURI(), reader: bufio.NewReader(nil)}
	if target.Port() == "" {
		c.address = net.JoinHostPort(target.Hostname(), "80")
	}
	return c
}

// run sends requests until the context is done. A request that was begun is completed.
func (c *client) run(ctx context.Context, began time.Time) {
	defer c.disconnect()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ; n++ {
		if !c.waitForTurn(ctx, timer, began, n) {
			return
		}
		request := c.send(n)
		c.report.add(request)
		if c.opts.Observe != nil {
			c.opts.Observe(request)
		}
		if request.Failed() && c.opts.Rate == 0 {
			timer.Reset(pause)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}
	}
}

// waitForTurn waits until the client's nth request is due, and reports whether it is to be sent.
func (c *client) waitForTurn(ctx context.Context, timer *time.Timer, began time.Time, n int) bool {
	if c.opts.Rate > 0 {
		nth := float64(n*c.opts.Clients + c.number)
		timer.Reset(time.Until(began.Add(time.Duration(nth / c.opts.Rate * float64(time.Second)))))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// send makes one request.
func (c *client) send(n int) Request {
	r := Request{ID: fmt.Sprintf("%s-%d-%d", c.opts.Name, c.number, n), Method: http.MethodGet}
	// by its number, so that not all clients send a POST at the same time
	if i, share := n+c.number, c.opts.Posts; int(float64(i+1)*share) > int(float64(i)*share) {
		r.Method = http.MethodPost
	}
	r.Sent = time.Now()
	r.Status, r.Body, r.Err = c.roundTrip(&r)
	r.Took = time.Since(r.Sent)
	if r.Err != nil || c.opts.NewConnections {
		c.disconnect()
	}
	return r
}

// roundTrip writes a request and reads the answer.
func (c *client) roundTrip(r *Request) (status int, body string, err error) {
	deadline := r.Sent.Add(c.opts.Timeout)
	if c.conn == nil {
		if c.conn, err = net.DialTimeout("tcp", c.address, c.opts.Timeout); err != nil {
			return 0, "", err
		}
		c.reader.Reset(c.conn)
	}
	if err := c.conn.SetDeadline(deadline); err != nil {
		return 0, "", err
	}
	c.write(r)
	if _, err := c.conn.Write(c.buffer); err != nil {
		return 0, "", err
	}
	response, err := http.ReadResponse(c.reader, &http.Request{Method: r.Method})
	if err != nil {
		return 0, "", fmt.Errorf("no answer: %w", err)
	}
	var text strings.Builder
	if response.StatusCode/100 == 2 {
		_, err = io.Copy(io.Discard, response.Body)
	} else if _, err = io.CopyN(&text, response.Body, excerpt); err == nil || err == io.EOF {
		_, err = io.Copy(io.Discard, response.Body)
	}
	if err != nil {
		return response.StatusCode, text.String(), fmt.Errorf("the answer broke off: %w", err)
	}
	if response.Close {
		c.disconnect()
	}
	return response.StatusCode, text.String(), nil
}

// write puts the bytes of a request into the buffer. A POST carries its id.
func (c *client) write(r *Request) {
	c.buffer = fmt.Appendf(c.buffer[:0], "%s %s HTTP/1.1\r\nHost: %s\r\nX-Request-Id: %s\r\n", r.Method, c.path, c.host, r.ID)
	if c.opts.NewConnections {
		c.buffer = append(c.buffer, "Connection: close\r\n"...)
	}
	if r.Method == http.MethodPost {
		c.buffer = fmt.Appendf(c.buffer, "Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(r.ID), r.ID)
	} else {
		c.buffer = append(c.buffer, "\r\n"...)
	}
}

func (c *client) disconnect() {
	if c.conn != nil {
		_ = c.conn.Close() // everything was read, or the failure is known already
		c.conn = nil
	}
}
